@description('Required. Region of the identities.')
param location string

@description('Required. Name of the identity of the function app.')
param functionIdentityName string

@description('Required. Name of the identity of the pool\'s nodes.')
param nodeIdentityName string

@description('Optional. Tags of every resource.')
param tags { *: string } = {}

resource functionIdentity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: functionIdentityName
  location: location
  tags: tags
}

// Any process on a node can act as this identity, so it may do little.
resource nodeIdentity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: nodeIdentityName
  location: location
  tags: tags
}
