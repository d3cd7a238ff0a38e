@description('Required. Name of the account.')
@minLength(3)
@maxLength(24)
param name string

@description('Required. Region of the account.')
param location string

@description('Required. Names of its containers.')
param containers string[]

@description('Optional. How often, and where, Azure keeps what is stored.')
param redundancy redundancyName = 'Standard_LRS'

@description('Optional. Days for which a blob that was deleted or replaced can be restored. 0: not at all.')
@minValue(0)
@maxValue(365)
param restorableDays int = 0

@description('Optional. Lifecycle rules beside the one that ends old versions.')
param lifecycleRules lifecycleRule[] = []

@description('Optional. Whether a lock keeps the account from being deleted, alone or with its group.')
param locked bool = false

@description('Optional. Whether the account answers on its public endpoint.')
param publicAccess bool = true

@description('Optional. Tags of every resource.')
param tags { *: string } = {}

resource account 'Microsoft.Storage/storageAccounts@2025-06-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: {
    name: redundancy
  }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    publicNetworkAccess: publicAccess ? 'Enabled' : 'Disabled'
    networkAcls: {
      // Batch itself comes as a trusted service when it makes a container for a package.
      bypass: 'AzureServices'
      defaultAction: publicAccess ? 'Allow' : 'Deny'
    }
    sasPolicy: {
      // Nothing here signs with an account key; a user delegation SAS of the publisher lives for hours.
      expirationAction: 'Log'
      sasExpirationPeriod: '1.00:00:00'
    }
    supportsHttpsTrafficOnly: true
  }

  resource blobServices 'blobServices' = {
    name: 'default'
    properties: {
      // The ledger is the only history there is: a container or a blob deleted by mistake can be restored.
      containerDeleteRetentionPolicy: {
        enabled: true
        days: max(restorableDays, 7)
      }
      deleteRetentionPolicy: {
        enabled: restorableDays > 0
        ...(restorableDays > 0 ? { days: max(restorableDays, 1) } : {})
      }
      isVersioningEnabled: restorableDays > 0
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

  resource lifecycle 'managementPolicies' = if (!empty(lifecycleRules) || restorableDays > 0) {
    name: 'default'
    properties: {
      policy: {
        rules: [...deletions, ...(restorableDays == 0 ? [] : [versionsEnd])]
      }
    }
    dependsOn: [
      blobServices
    ]
  }
}

resource lock 'Microsoft.Authorization/locks@2020-05-01' = if (locked) {
  name: 'keep'
  scope: account
  properties: {
    level: 'CanNotDelete'
    notes: 'Keeps the records of every run. docs/deploy.md says how to remove it.'
  }
}

var deletions = [
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

var versionsEnd = {
  name: 'versions'
  type: 'Lifecycle'
  enabled: true
  definition: {
    filters: {
      blobTypes: ['blockBlob']
    }
    actions: {
      version: {
        delete: {
          daysAfterCreationGreaterThan: restorableDays
        }
      }
    }
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

@export()
@description('Copies in one data center, in three zones of a region, or in a second region as well.')
type redundancyName = 'Standard_LRS' | 'Standard_ZRS' | 'Standard_GRS' | 'Standard_GZRS'

output blobEndpoint string = account.properties.primaryEndpoints.blob
