import { deploymentContainer, ledgerContainer, outputsContainer, poolName } from '../../names.bicep'

@description('Required. Region of plan and app.')
param location string

@description('Required. Name of the Flex Consumption plan.')
param planName string

@description('Required. Name of the function app.')
param name string

@description('Required. Name of the app\'s own identity.')
param functionIdentityName string

@description('Required. Name of the identity by which nodes write outputs.')
param nodeIdentityName string

@description('Required. Name of the storage account of the Functions host.')
param hostStorageName string

@description('Required. Name of the storage account of ledger and outputs.')
param dataStorageName string

@description('Required. Name of the Batch account.')
param batchAccountName string

@description('Required. Name of the Application Insights component.')
param componentName string

@description('Required. When submit and collect tick: NCRONTAB with seconds, UTC.')
param timers { submit: string, collect: string }

@description('Required. Memory of an instance.')
param instanceMemoryMB instanceMemory

@description('Optional. Tags of every resource.')
param tags { *: string } = {}

resource functionIdentity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: functionIdentityName
}

resource nodeIdentity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: nodeIdentityName
}

resource hostStorage 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: hostStorageName
}

resource dataStorage 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: dataStorageName
}

resource batchAccount 'Microsoft.Batch/batchAccounts@2025-06-01' existing = {
  name: batchAccountName
}

resource component 'Microsoft.Insights/components@2020-02-02' existing = {
  name: componentName
}

resource plan 'Microsoft.Web/serverfarms@2025-03-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: {
    name: 'FC1'
    tier: 'FlexConsumption'
  }
  properties: {
    reserved: true
  }
}

resource app 'Microsoft.Web/sites@2025-03-01' = {
  name: name
  location: location
  tags: union(tags, { 'azd-service-name': 'orchestrator' })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${functionIdentity.id}': {}
    }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    siteConfig: {
      ftpsState: 'Disabled'
      minTlsVersion: '1.2'
      remoteDebuggingEnabled: false
      scmMinTlsVersion: '1.2'
    }
    functionAppConfig: {
      runtime: {
        name: 'python'
        version: '3.13'
      }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: 40 // the least that every region takes; the two timers need two
      }
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${hostStorage.properties.primaryEndpoints.blob}${deploymentContainer}'
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: functionIdentity.id
          }
        }
      }
    }
  }

  resource appSettings 'config' = {
    name: 'appsettings'
    properties: {
      SUBMIT_CRON: timers.submit
      COLLECT_CRON: timers.collect
      BATCH_ACCOUNT_URL: 'https://${batchAccount.properties.accountEndpoint}'
      BATCH_POOL_ID: poolName
      DATA_STORAGE_URL: dataStorage.properties.primaryEndpoints.blob
      LEDGER_CONTAINER: ledgerContainer
      OUTPUTS_CONTAINER: outputsContainer
      NODE_IDENTITY_ID: nodeIdentity.id
      AZURE_CLIENT_ID: functionIdentity.properties.clientId
      AzureWebJobsStorage__blobServiceUri: hostStorage.properties.primaryEndpoints.blob
      AzureWebJobsStorage__clientId: functionIdentity.properties.clientId
      AzureWebJobsStorage__credential: 'managedidentity'
      APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${functionIdentity.properties.clientId};Authorization=AAD'
      APPLICATIONINSIGHTS_CONNECTION_STRING: component.properties.ConnectionString
      OTEL_SERVICE_NAME: app.name
      PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY: 'true'
      // The product's own words alone: an exporter that also told of its own failures would never come to an end.
      PYTHON_APPLICATIONINSIGHTS_LOGGER_NAME: 'recur'
      // Alerts and runbooks need events and logs. Spans of every storage call, performance counters and what the
      // exporter tells and asks about itself would cost more than all the rest.
      APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED: 'true'
      APPLICATIONINSIGHTS_SDKSTATS_DISABLED: 'true'
      APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL: 'true'
      OTEL_METRICS_EXPORTER: 'none'
      OTEL_TRACES_EXPORTER: 'none'
    }
  }

  resource ftpCredentials 'basicPublishingCredentialsPolicies' = {
    name: 'ftp'
    properties: {
      allow: false
    }
  }

  resource scmCredentials 'basicPublishingCredentialsPolicies' = {
    name: 'scm'
    properties: {
      allow: false
    }
  }
}

@export()
@description('Megabytes of a Flex Consumption instance.')
type instanceMemory = 512 | 2048 | 4096
