// Everything but the pool, which needs published packages: identities, storage, Batch account, function app, alerts.

import { applications, deploymentContainer, ledgerContainer, outputsContainer, poolName, timersContainer } from '../names.bicep'
import { instanceMemory } from 'modules/function-app.bicep'
import { retentionDays } from 'modules/data-storage.bicep'
import { redundancyName } from 'modules/storage-account.bicep'
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

@description('Optional. Where alerts are mailed. Without it alerts fire, and nobody gets a mail.')
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
  deleted: 14
}

@description('Optional. How often, and where, Azure keeps ledger, outputs and packages. By default in three zones where the region has them.')
param redundancy redundancyName?

@description('Optional. Whether a lock keeps the data storage from being deleted, alone or with its group.')
param dataLock bool = true

@description('Optional. What a month may cost before a mail goes out, in the currency of the bill. 0: no budget.')
@minValue(0)
param monthlyBudget int = 20

@description('Optional. First day of the first month of the budget. By default this month; afterwards it must stay what it was.')
param budgetStart string?

@description('Only for the default of budgetStart.')
param thisMonth string = utcNow('yyyy-MM-01')

@description('Optional. public: endpoints that anybody reaches and only Entra opens. private: a virtual network, private endpoints, no public access.')
param network networkProfile = 'public'

@description('Optional. Addresses of the private network: 256 or more, such as a /24, which no connected network uses.')
param networkAddresses string = '10.80.0.0/24'

@description('Optional. ARM id of a route table that leads out of the private network by a firewall of yours. By default there is a NAT gateway.')
param routeTableId string?

@description('Optional. Gigabytes of telemetry a day: a bound on the bill.')
@minValue(1)
param dailyCapGB int = 1

@description('Optional. Whether telemetry is taken from Entra identities only.')
param disableLocalAuth bool = true

@description('Optional. Object id of who publishes packages and schedules. By default who deploys.')
param publisherId string?

@description('Optional. Kind of the publisher: User, Group or ServicePrincipal. By default Azure looks it up.')
param publisherType principalType?

@description('Optional. Tags of every resource.')
param tags { *: string } = {}

var token = uniqueString(resourceGroup().id, environmentName)
var dataStorageName = storageAccountName ?? 'stdata${token}'
var accountName = batchAccountName ?? 'batch${token}'
var functionIdentityName = 'id-func-${token}'
var codeIdentityName = 'id-code-${token}'
var nodeIdentityName = 'id-node-${token}'
var hostStorageName = 'sthost${token}'
var codeStorageName = 'stcode${token}'
var workspaceName = 'log-${token}'
var componentName = 'appi-${token}'
var functionAppName = 'func-${token}'
var networkName = 'vnet-${token}'
// Ids are computed from names, so that a preview shows what lies where. Modules wait for each other by dependsOn.
var subnetIds = {
  functions: resourceId('Microsoft.Network/virtualNetworks/subnets', networkName, 'functions')
  nodes: resourceId('Microsoft.Network/virtualNetworks/subnets', networkName, 'nodes')
  endpoints: resourceId('Microsoft.Network/virtualNetworks/subnets', networkName, 'endpoints')
}
var storageIds = {
  host: resourceId('Microsoft.Storage/storageAccounts', hostStorageName)
  code: resourceId('Microsoft.Storage/storageAccounts', codeStorageName)
  data: resourceId('Microsoft.Storage/storageAccounts', dataStorageName)
}
var accountId = resourceId('Microsoft.Batch/batchAccounts', accountName)
var publicAccess = network == 'public'
var firstMonth = budgetStart ?? thisMonth
var allTags = { ...tags, 'azd-env-name': environmentName }

module identities 'modules/identities.bicep' = {
  params: {
    location: location
    functionIdentityName: functionIdentityName
    codeIdentityName: codeIdentityName
    nodeIdentityName: nodeIdentityName
    tags: allTags
  }
}

module privateNetwork 'modules/network.bicep' = if (network == 'private') {
  params: {
    name: networkName
    location: location
    addressPrefix: networkAddresses
    routeTableId: routeTableId
    tags: allTags
  }
}

// Apart from the data storage, so that the function app, which owns this account, cannot replace the packages
// that run on nodes.
module hostStorage 'modules/storage-account.bicep' = {
  params: {
    name: hostStorageName
    location: location
    containers: [timersContainer]
    publicAccess: publicAccess
    tags: allTags
  }
}

// Apart from the host storage, so that the identity that the code works with cannot replace the code.
module codeStorage 'modules/storage-account.bicep' = {
  params: {
    name: codeStorageName
    location: location
    containers: [deploymentContainer]
    publicAccess: publicAccess
    tags: allTags
  }
}

module dataStorage 'modules/data-storage.bicep' = {
  params: {
    name: dataStorageName
    location: location
    retention: retention
    redundancy: redundancy
    locked: dataLock
    publicAccess: publicAccess
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
    storageAccountName: dataStorageName
    nodeIdentityName: nodeIdentityName
    workspaceName: workspaceName
    publicAccess: publicAccess
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
    codeIdentityName: codeIdentityName
    nodeIdentityName: nodeIdentityName
    publisherId: publisherId ?? deployer().objectId
    publisherType: publisherType
    batchAccountName: accountName
    hostStorageName: hostStorageName
    codeStorageName: codeStorageName
    dataStorageName: dataStorageName
    componentName: componentName
    suffix: token
  }
  dependsOn: [
    batchAccount
    codeStorage
    hostStorage
  ]
}

// The account makes a container for each application, and so must be allowed to before.
module packages 'modules/applications.bicep' = {
  params: {
    batchAccountName: accountName
    names: applications
  }
  dependsOn: [
    roles
  ]
}

module functionApp 'modules/function-app.bicep' = {
  params: {
    name: functionAppName
    planName: 'plan-${token}'
    location: location
    functionIdentityName: functionIdentityName
    codeIdentityName: codeIdentityName
    nodeIdentityName: nodeIdentityName
    hostStorageName: hostStorageName
    codeStorageName: codeStorageName
    dataStorageName: dataStorageName
    batchAccountName: accountName
    componentName: componentName
    timers: { submit: submitCron, collect: collectCron }
    instanceMemoryMB: instanceMemoryMB
    subnetId: network == 'private' ? subnetIds.functions : null
    publicAccess: publicAccess
    tags: allTags
  }
  // Roles take minutes to be in force everywhere: the sooner, the fewer refusals at the first start.
  dependsOn: [
    privateNetwork
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

module privateEndpoints 'modules/private-endpoints.bicep' = if (network == 'private') {
  params: {
    location: location
    networkId: resourceId('Microsoft.Network/virtualNetworks', networkName)
    networkName: networkName
    subnetId: subnetIds.endpoints
    targets: [
      { name: hostStorageName, id: storageIds.host, group: 'blob', zone: 'blob' }
      { name: codeStorageName, id: storageIds.code, group: 'blob', zone: 'blob' }
      { name: dataStorageName, id: storageIds.data, group: 'blob', zone: 'blob' }
      { name: accountName, id: accountId, group: 'batchAccount', zone: 'batch' }
      { name: '${accountName}-nodes', id: accountId, group: 'nodeManagement', zone: 'batch' }
      { name: functionAppName, id: resourceId('Microsoft.Web/sites', functionAppName), group: 'sites', zone: 'sites' }
    ]
    tags: allTags
  }
  dependsOn: [
    batchAccount
    codeStorage
    dataStorage
    functionApp
    hostStorage
    privateNetwork
  ]
}

module budget 'modules/budget.bicep' = if (monthlyBudget > 0) {
  params: {
    name: 'budget-${token}'
    amount: max(monthlyBudget, 1)
    start: firstMonth
    email: alertEmail
  }
}

@export()
@description('From where storage, Batch account and function app are reached.')
type networkProfile = 'public' | 'private'

// In the spelling of environment variables: azd keeps them as such, and the command line reads them.
output AZURE_SUBSCRIPTION_ID string = subscription().subscriptionId
output BATCH_ACCOUNT_NAME string = accountName
output BATCH_ACCOUNT_URL string = batchAccount.outputs.url
output BATCH_ACCOUNT_ID string = accountId
output BATCH_POOL_ID string = poolName
output DATA_STORAGE_URL string = dataStorage.outputs.blobEndpoint
output LEDGER_CONTAINER string = ledgerContainer
output OUTPUTS_CONTAINER string = outputsContainer
output HOST_STORAGE_URL string = hostStorage.outputs.blobEndpoint
output CODE_STORAGE_URL string = codeStorage.outputs.blobEndpoint
output FUNCTION_APP_NAME string = functionAppName
output FUNCTION_PRINCIPAL_ID string = identities.outputs.functionPrincipalId
output CODE_PRINCIPAL_ID string = identities.outputs.codePrincipalId
output NODE_IDENTITY_ID string = identities.outputs.nodeIdentityId
output NODE_SUBNET_ID string = network == 'private' ? subnetIds.nodes : ''
output NODE_PRINCIPAL_ID string = identities.outputs.nodePrincipalId
output APPLICATIONINSIGHTS_NAME string = componentName
output STORAGE_ROLES string = string(roles.outputs.customRoles)
output BUDGET_START string = firstMonth
