@description('Required. GUIDs of the roles by their keys.')
param ids storageRoleIds

@description('Required. What the names of the roles end with: a name is unique in a tenant.')
param suffix string

var blobs = 'Microsoft.Storage/storageAccounts/blobServices/containers/blobs'

// The built-in roles for blobs may also delete containers and sign delegation keys. These may not.
var roles = [
  {
    key: 'ledger'
    summary: 'Reads, writes and deletes blobs.'
    dataActions: ['${blobs}/read', '${blobs}/write', '${blobs}/add/action', '${blobs}/delete']
  }
  {
    key: 'outputs'
    summary: 'Reads and writes blobs, and deletes none.'
    dataActions: ['${blobs}/read', '${blobs}/write', '${blobs}/add/action']
  }
  {
    key: 'upload'
    summary: 'Writes blobs, and reads none.'
    dataActions: ['${blobs}/write', '${blobs}/add/action']
  }
  {
    key: 'download'
    summary: 'Reads blobs.'
    dataActions: ['${blobs}/read']
  }
]

resource definitions 'Microsoft.Authorization/roleDefinitions@2022-04-01' = [
  for role in roles: {
    name: ids[role.key]
    properties: {
      roleName: 'Recur ${role.key} (${suffix})'
      description: role.summary
      type: 'CustomRole'
      assignableScopes: [resourceGroup().id]
      permissions: [
        {
          actions: []
          notActions: []
          dataActions: role.dataActions
          notDataActions: []
        }
      ]
    }
  }
]

@export()
@description('GUIDs of the custom roles.')
type storageRoleIds = {
  @description('Required. Reads, writes and deletes blobs.')
  ledger: string

  @description('Required. Reads and writes blobs.')
  outputs: string

  @description('Required. Writes blobs.')
  upload: string

  @description('Required. Reads blobs.')
  download: string
}
