@description('Required. Name of the Batch account.')
@minLength(3)
@maxLength(24)
param name string

@description('Required. Region of the account.')
param location string

@description('Required. Name of the storage account that holds the application packages.')
param storageAccountName string

@description('Required. Name of the identity by which nodes fetch the packages.')
param nodeIdentityName string

@description('Required. Name of the workspace of the account\'s log.')
param workspaceName string

@description('Optional. Whether the account answers on its public endpoints.')
param publicAccess bool = true

@description('Optional. Tags of every resource.')
param tags { *: string } = {}

resource storage 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: storageAccountName
}

resource nodeIdentity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: nodeIdentityName
}

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' existing = {
  name: workspaceName
}

resource account 'Microsoft.Batch/batchAccounts@2025-06-01' = {
  name: name
  location: location
  tags: tags
  identity: {
    type: 'SystemAssigned'
  }
  properties: {
    allowedAuthenticationModes: ['AAD']
    autoStorage: {
      storageAccountId: storage.id
      authenticationMode: 'BatchAccountManagedIdentity'
      nodeIdentityReference: {
        resourceId: nodeIdentity.id
      }
    }
    poolAllocationMode: 'BatchService'
    publicNetworkAccess: publicAccess ? 'Enabled' : 'Disabled'
  }
}

// Metrics need no export: alerts read them where they are, for free.
resource log 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'service-log'
  scope: account
  properties: {
    workspaceId: workspace.id
    logs: [
      {
        category: 'ServiceLog'
        enabled: true
      }
    ]
  }
}

output url string = 'https://${account.properties.accountEndpoint}'
