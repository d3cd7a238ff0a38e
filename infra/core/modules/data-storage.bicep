import { ledgerContainer, outputsContainer } from '../../names.bicep'

@description('Required. Name of the storage account of ledger, outputs and application packages.')
param name string

@description('Required. Region of the account.')
param location string

@description('Required. How long things are kept.')
param retention retentionDays

@description('Optional. Tags of every resource.')
param tags { *: string } = {}

module account 'storage-account.bicep' = {
  params: {
    name: name
    location: location
    tags: tags
    containers: [ledgerContainer, outputsContainer]
    lifecycleRules: [
      { name: 'records', prefix: '${ledgerContainer}/runs/', days: retention.records }
      { name: 'answers', prefix: '${ledgerContainer}/answers/', days: retention.answers }
      { name: 'outputs', prefix: '${outputsContainer}/', days: retention.outputs }
    ]
  }
}

@export()
@description('Days after which the data storage forgets.')
type retentionDays = {
  @description('Required. Final records of runs and skipped occurrences. The orchestrator reckons with 400.')
  @minValue(400)
  records: int

  @description('Required. What became of an operator\'s requests.')
  @minValue(1)
  answers: int

  @description('Required. Outputs of the tasks.')
  @minValue(1)
  outputs: int
}

output blobEndpoint string = account.outputs.blobEndpoint
