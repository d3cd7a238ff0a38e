@description('Required. Region of the identities.')
param location string

@description('Required. Name of the identity of the function app.')
param functionIdentityName string

@description('Required. Name of the identity by which Azure writes and fetches the code of the function app.')
param codeIdentityName string

@description('Required. Name of the identity of the pool\'s nodes.')
param nodeIdentityName string

@description('Optional. Tags of every resource.')
param tags { *: string } = {}

resource functionIdentity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: functionIdentityName
  location: location
  tags: tags
}

// A deployment of code writes by the identity that the app names for it. It is not the one that the code works with.
resource codeIdentity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: codeIdentityName
  location: location
  tags: tags
}

// Any process on a node can act as this identity, so it may do little.
resource nodeIdentity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: nodeIdentityName
  location: location
  tags: tags
}

output functionPrincipalId string = functionIdentity.properties.principalId
output codePrincipalId string = codeIdentity.properties.principalId
output nodeIdentityId string = nodeIdentity.id
output nodePrincipalId string = nodeIdentity.properties.principalId
