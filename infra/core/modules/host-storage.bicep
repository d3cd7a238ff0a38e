import { deploymentContainer, timersContainer } from '../../names.bicep'

@description('Required. Name of the storage account of the Functions host.')
param name string

@description('Required. Region of the account.')
param location string

@description('Optional. Tags of every resource.')
param tags { *: string } = {}

// Apart from the data storage, so that the function app, which owns this account, cannot replace the packages
// that run on nodes.
module account 'storage-account.bicep' = {
  params: {
    name: name
    location: location
    tags: tags
    containers: [deploymentContainer, timersContainer]
  }
}

output blobEndpoint string = account.outputs.blobEndpoint
