import { deploymentContainer, ledgerContainer, outputsContainer, timersContainer } from '../../names.bicep'
import { storageRoleIds } from 'storage-roles.bicep'

@description('Required. Name of the identity of the function app.')
param functionIdentityName string

@description('Required. Name of the identity by which Azure writes and fetches the code of the function app.')
param codeIdentityName string

@description('Required. Name of the identity of the pool\'s nodes.')
param nodeIdentityName string

@description('Required. Object id of who publishes packages and schedules.')
param publisherId string

@description('Optional. Kind of the publisher. Without it Azure looks it up.')
param publisherType principalType?

@description('Required. Name of the Batch account.')
param batchAccountName string

@description('Required. Name of the storage account of the Functions host.')
param hostStorageName string

@description('Required. Name of the storage account of the function app\'s code.')
param codeStorageName string

@description('Required. Name of the storage account of ledger, outputs and application packages.')
param dataStorageName string

@description('Required. Name of the Application Insights component.')
param componentName string

@description('Required. What the names of the custom roles end with.')
param suffix string

resource functionIdentity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: functionIdentityName
}

resource codeIdentity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: codeIdentityName
}

resource nodeIdentity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: nodeIdentityName
}

resource batchAccount 'Microsoft.Batch/batchAccounts@2025-06-01' existing = {
  name: batchAccountName
}

resource hostStorage 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: hostStorageName

  resource blobServices 'blobServices' existing = {
    name: 'default'

    resource timers 'containers' existing = {
      name: timersContainer
    }
  }
}

resource codeStorage 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: codeStorageName

  resource blobServices 'blobServices' existing = {
    name: 'default'

    resource deployment 'containers' existing = {
      name: deploymentContainer
    }
  }
}

resource dataStorage 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: dataStorageName

  resource blobServices 'blobServices' existing = {
    name: 'default'

    resource ledger 'containers' existing = {
      name: ledgerContainer
    }

    resource outputs 'containers' existing = {
      name: outputsContainer
    }
  }
}

resource component 'Microsoft.Insights/components@2020-02-02' existing = {
  name: componentName
}

var customRoles = {
  ledger: guid(resourceGroup().id, suffix, 'ledger')
  outputs: guid(resourceGroup().id, suffix, 'outputs')
  upload: guid(resourceGroup().id, suffix, 'upload')
  download: guid(resourceGroup().id, suffix, 'download')
}

module storageRoles 'storage-roles.bicep' = {
  params: {
    ids: customRoles
    suffix: suffix
  }
}

var blobDataOwner = 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
var blobDataContributor = 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
var blobDataReader = '2a2b9908-6ea1-4ae2-8e65-a410df84e7d1'
var batchJobSubmitter = '48e5e92e-a480-4e71-aa9c-2778f4c13781'
var batchDataContributor = '6aaa78f1-f7de-44ca-8722-c64a23943cae'
var monitoringMetricsPublisher = '3913510d-42f4-4e42-8a64-420c390055eb'

var principals = {
  function: functionIdentity.properties.principalId
  code: codeIdentity.properties.principalId
  node: nodeIdentity.properties.principalId
  batch: batchAccount.identity.principalId
  publisher: publisherId
}

// Batch keeps the packages of an application in a container whose name begins so.
var packageContainers = '@Resource[Microsoft.Storage/storageAccounts/blobServices/containers:name] StringStartsWith \'app-\''

var grants grant[] = [
  // The function app submits and reads jobs; it can change neither pool nor packages.
  { principal: 'function', role: batchJobSubmitter, scope: batchAccount.id }
  { principal: 'function', role: blobDataOwner, scope: hostStorage.id }
  { principal: 'function', role: blobDataReader, scope: codeStorage::blobServices::deployment.id }
  { principal: 'function', role: customRoles.ledger, scope: dataStorage::blobServices::ledger.id }
  { principal: 'function', role: customRoles.outputs, scope: dataStorage::blobServices::outputs.id }
  { principal: 'function', role: monitoringMetricsPublisher, scope: component.id }
  // A deployment of code is written as this identity, and fetched by the platform when an instance starts.
  { principal: 'code', role: blobDataContributor, scope: codeStorage::blobServices::deployment.id }
  // Nodes fetch packages and write outputs.
  { principal: 'node', role: customRoles.download, scope: dataStorage.id, condition: packageContainers }
  { principal: 'node', role: customRoles.upload, scope: dataStorage::blobServices::outputs.id }
  // The Batch account makes a container for each application.
  { principal: 'batch', role: blobDataContributor, scope: dataStorage.id }
  // recur publish and apply; recur doctor also looks at when the timers last fired.
  { principal: 'publisher', role: batchDataContributor, scope: batchAccount.id }
  { principal: 'publisher', role: blobDataContributor, scope: dataStorage.id }
  { principal: 'publisher', role: blobDataReader, scope: hostStorage::blobServices::timers.id }
]

module assignments 'role-assignments.json' = {
  params: {
    assignments: [
      for grant in grants: {
        roleDefinitionId: grant.role
        scope: grant.scope
        properties: {
          principalId: principals[grant.principal]
          ...(grant.principal != 'publisher'
            ? { principalType: 'ServicePrincipal' }
            : publisherType == null ? {} : { principalType: publisherType })
          ...(grant.?condition == null ? {} : { condition: grant.?condition, conditionVersion: '2.0' })
        }
      }
    ]
  }
  dependsOn: [
    storageRoles
  ]
}

@description('A role that a principal has on something.')
type grant = {
  @description('Required. Who has it.')
  principal: 'function' | 'code' | 'node' | 'batch' | 'publisher'

  @description('Required. GUID of the role definition.')
  role: string

  @description('Required. ARM id of what it is on.')
  scope: string

  @description('Optional. Restricts it, in the language of attribute-based access control.')
  condition: string?
}

@export()
@description('Kind of a principal.')
type principalType = 'User' | 'Group' | 'ServicePrincipal'

output customRoles storageRoleIds = customRoles
