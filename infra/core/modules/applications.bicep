@description('Required. Name of the Batch account.')
param batchAccountName string

@description('Required. Names of the applications whose packages nodes get.')
param names string[]

resource account 'Microsoft.Batch/batchAccounts@2025-06-01' existing = {
  name: batchAccountName

  // A version, once published, cannot be replaced by another content.
  resource application 'applications' = [
    for name in names: {
      name: name
      properties: {
        allowUpdates: false
      }
    }
  ]
}
