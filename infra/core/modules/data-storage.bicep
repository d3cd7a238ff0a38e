import { ledgerContainer, outputsContainer } from '../../names.bicep'
import { redundancyName } from 'storage-account.bicep'

@description('Required. Name of the storage account of ledger, outputs and application packages.')
param name string

@description('Required. Region of the account.')
param location string

@description('Required. How long things are kept.')
param retention retentionDays

@description('Optional. How often, and where, Azure keeps what is stored. By default in three zones where the region has them.')
param redundancy redundancyName?

@description('Optional. Whether a lock keeps the account from being deleted, alone or with its group.')
param locked bool = true

@description('Optional. Whether the account answers on its public endpoint.')
param publicAccess bool = true

@description('Optional. Tags of every resource.')
param tags { *: string } = {}

// Regions with availability zones (learn.microsoft.com/azure/reliability/regions-list). Any other region gets LRS.
var zonalRegions = [
  'australiaeast'
  'brazilsouth'
  'canadacentral'
  'centralindia'
  'centralus'
  'eastasia'
  'eastus'
  'eastus2'
  'francecentral'
  'germanywestcentral'
  'italynorth'
  'japaneast'
  'koreacentral'
  'northeurope'
  'norwayeast'
  'southafricanorth'
  'southcentralus'
  'southeastasia'
  'spaincentral'
  'swedencentral'
  'uaenorth'
  'uksouth'
  'westeurope'
  'westus2'
  'westus3'
]

module account 'storage-account.bicep' = {
  params: {
    name: name
    location: location
    tags: tags
    redundancy: redundancy ?? (contains(zonalRegions, location) ? 'Standard_ZRS' : 'Standard_LRS')
    restorableDays: retention.deleted
    locked: locked
    publicAccess: publicAccess
    containers: [ledgerContainer, outputsContainer]
    lifecycleRules: [
      { name: 'records', prefix: '${ledgerContainer}/runs/', days: retention.records }
      { name: 'history', prefix: '${ledgerContainer}/history/', days: retention.records }
      { name: 'days', prefix: '${ledgerContainer}/summaries/days/', days: retention.records }
      { name: 'answers', prefix: '${ledgerContainer}/answers/', days: retention.answers }
      { name: 'outputs', prefix: '${outputsContainer}/', days: retention.outputs }
    ]
  }
}

@export()
@description('Days after which the data storage forgets.')
type retentionDays = {
  @description('Required. Final records of runs and skipped occurrences, and the timings by which they came about. The orchestrator reckons with 400.')
  @minValue(400)
  records: int

  @description('Required. Answers to an operator\'s requests.')
  @minValue(1)
  answers: int

  @description('Required. Outputs of the tasks.')
  @minValue(1)
  outputs: int

  @description('Required. Blobs that were deleted or replaced, until they can no longer be restored.')
  @minValue(1)
  @maxValue(365)
  deleted: int
}

output blobEndpoint string = account.outputs.blobEndpoint
