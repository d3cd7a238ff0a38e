// Everything but the pool, which needs published packages: identities, storage, Batch account, function app, alerts.

import { applications, ledgerContainer, outputsContainer, poolName } from '../names.bicep'
import { instanceMemory } from 'modules/function-app.bicep'
import { retentionDays } from 'modules/data-storage.bicep'
import { principalType } from 'modules/roles.bicep'

@description('Optional. Name of this deployment: it tells apart several in one resource group and begins the names of alerts.')
@minLength(1)
@maxLength(64)
param environmentName string = 'recur'

@description('Optional. Region of all resources. By default that of the resource group.')
param location string = resourceGroup().location

@description('Optional. Name of the storage account of ledger, outputs and packages. By default a unique one.')
@minLength(3)
@maxLength(24)
param storageAccountName string?

@description('Optional. Name of the Batch account: lower-case letters and digits. By default a unique one.')
@minLength(3)
@maxLength(24)
param batchAccountName string?

@description('Optional. Where alerts are mailed. Without it the alerts are there, and nobody is told.')
param alertEmail string = ''

@description('Optional. Memory of a function instance.')
param instanceMemoryMB instanceMemory = 512

@description('Optional. When the submit timer ticks: NCRONTAB with seconds, UTC. A schedule is as punctual as this.')
param submitCron string = '0 * * * * *'

@description('Optional. When the collect timer ticks: NCRONTAB with seconds, UTC.')
param collectCron string = '30 * * * * *'

@description('Optional. How long the data storage keeps things.')
param retention retentionDays = {
  records: 400
  answers: 30
  outputs: 90
}

@description('Optional. Gigabytes of telemetry a day: a bound on the bill.')
@minValue(1)
param dailyCapGB int = 1

@description('Optional. Whether telemetry is taken from Entra identities only.')
param disableLocalAuth bool = true

@description('Optional. Object id of who publishes packages and schedules. By default who deploys.')
param publisherId string?

@description('Optional. Kind of the publisher: User, Group or ServicePrincipal.')
param publisherType principalType = 'User'

@description('Optional. Tags of every resource.')
param tags { *: string } = {}

var token = uniqueString(resourceGroup().id, environmentName)
var dataStorageName = storageAccountName ?? 'stdata${token}'
var accountName = batchAccountName ?? 'batch${token}'
var functionIdentityName = 'id-func-${token}'
var nodeIdentityName = 'id-node-${token}'
var hostStorageName = 'sthost${token}'
var workspaceName = 'log-${token}'
var componentName = 'appi-${token}'
var functionAppName = 'func-${token}'
var allTags = { ...tags, 'azd-env-name': environmentName }

module identities 'modules/identities.bicep' = {
  params: {
    location: location
    functionIdentityName: functionIdentityName
    nodeIdentityName: nodeIdentityName
    tags: allTags
  }
}

module hostStorage 'modules/host-storage.bicep' = {
  params: {
    name: hostStorageName
    location: location
    tags: allTags
  }
}

module dataStorage 'modules/data-storage.bicep' = {
  params: {
    name: dataStorageName
    location: location
    retention: retention
    tags: allTags
  }
}

module monitoring 'modules/monitoring.bicep' = {
  params: {
    location: location
    workspaceName: workspaceName
    componentName: componentName
    disableLocalAuth: disableLocalAuth
    dailyCapGB: dailyCapGB
    tags: allTags
  }
}

module batchAccount 'modules/batch-account.bicep' = {
  params: {
    name: accountName
    location: location
    applicationNames: applications
    storageAccountName: dataStorageName
    nodeIdentityName: nodeIdentityName
    workspaceName: workspaceName
    tags: allTags
  }
  dependsOn: [
    dataStorage
    identities
    monitoring
  ]
}

module roles 'modules/roles.bicep' = {
  params: {
    functionIdentityName: functionIdentityName
    nodeIdentityName: nodeIdentityName
    publisherId: publisherId ?? deployer().objectId
    publisherType: publisherType
    batchAccountName: accountName
    hostStorageName: hostStorageName
    dataStorageName: dataStorageName
    componentName: componentName
  }
  dependsOn: [
    batchAccount
    hostStorage
  ]
}

module functionApp 'modules/function-app.bicep' = {
  params: {
    name: functionAppName
    planName: 'plan-${token}'
    location: location
    functionIdentityName: functionIdentityName
    nodeIdentityName: nodeIdentityName
    hostStorageName: hostStorageName
    dataStorageName: dataStorageName
    batchAccountName: accountName
    componentName: componentName
    timers: { submit: submitCron, collect: collectCron }
    instanceMemoryMB: instanceMemoryMB
    tags: allTags
  }
  // Roles take minutes to be in force everywhere: the sooner, the fewer refusals at the first start.
  dependsOn: [
    roles
  ]
}

module alerts 'modules/alerts.bicep' = {
  params: {
    location: location
    prefix: environmentName
    workspaceName: workspaceName
    batchAccountName: accountName
    email: alertEmail
    tags: allTags
  }
  dependsOn: [
    batchAccount
  ]
}

resource functionIdentity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: functionIdentityName
}

resource nodeIdentity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: nodeIdentityName
}

resource account 'Microsoft.Batch/batchAccounts@2025-06-01' existing = {
  name: accountName
}

// In the spelling of environment variables: azd keeps them as such, and the command line reads them.
output AZURE_RESOURCE_GROUP string = resourceGroup().name
output AZURE_SUBSCRIPTION_ID string = subscription().subscriptionId
output BATCH_ACCOUNT_NAME string = accountName
output BATCH_ACCOUNT_URL string = batchAccount.outputs.url
output BATCH_ACCOUNT_ID string = account.id
output BATCH_POOL_ID string = poolName
output DATA_STORAGE_URL string = dataStorage.outputs.blobEndpoint
output LEDGER_CONTAINER string = ledgerContainer
output OUTPUTS_CONTAINER string = outputsContainer
output HOST_STORAGE_URL string = hostStorage.outputs.blobEndpoint
output FUNCTION_APP_NAME string = functionAppName
output FUNCTION_PRINCIPAL_ID string = functionIdentity.properties.principalId
output NODE_IDENTITY_ID string = nodeIdentity.id
output NODE_PRINCIPAL_ID string = nodeIdentity.properties.principalId
output APPLICATIONINSIGHTS_NAME string = componentName
