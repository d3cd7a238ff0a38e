@description('Required. Name of the account.')
@minLength(3)
@maxLength(24)
param name string

@description('Required. Region of the account.')
param location string

@description('Required. Names of its containers.')
param containers string[]

@description('Optional. Lifecycle rules; none by default.')
param lifecycleRules lifecycleRule[] = []

@description('Optional. Tags of every resource.')
param tags { *: string } = {}

resource account 'Microsoft.Storage/storageAccounts@2025-06-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: {
    name: 'Standard_LRS'
  }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
  }

  resource blobServices 'blobServices' = {
    name: 'default'
    properties: {
      // The ledger is the only history there is: a container deleted by mistake can be had back.
      containerDeleteRetentionPolicy: {
        enabled: true
        days: 7
      }
    }

    resource container 'containers' = [
      for container in containers: {
        name: container
        properties: {
          publicAccess: 'None'
        }
      }
    ]
  }

  resource lifecycle 'managementPolicies' = if (!empty(lifecycleRules)) {
    name: 'default'
    properties: {
      policy: {
        rules: [
          for rule in lifecycleRules: {
            name: rule.name
            type: 'Lifecycle'
            enabled: true
            definition: {
              filters: {
                blobTypes: ['blockBlob']
                prefixMatch: [rule.prefix]
              }
              actions: {
                baseBlob: {
                  delete: {
                    daysAfterModificationGreaterThan: rule.days
                  }
                }
              }
            }
          }
        ]
      }
    }
    dependsOn: [
      blobServices
    ]
  }
}

@export()
@description('Deletes blobs some time after they were last written.')
type lifecycleRule = {
  @description('Required. Name of the rule.')
  name: string

  @description('Required. What the names of the blobs begin with; the container comes first.')
  prefix: string

  @description('Required. Days after the last write.')
  @minValue(1)
  days: int
}

output blobEndpoint string = account.properties.primaryEndpoints.blob
