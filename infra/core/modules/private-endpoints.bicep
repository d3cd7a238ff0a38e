@description('Required. Region of the endpoints.')
param location string

@description('Required. ARM id of the virtual network that finds them by name.')
param networkId string

@description('Required. Name of that network.')
param networkName string

@description('Required. ARM id of the subnet that they lie in.')
param subnetId string

@description('Required. What they lead to.')
param targets endpointTarget[]

@description('Optional. Tags of every resource.')
param tags { *: string } = {}

var zoneNames = {
  blob: 'privatelink.blob.${environment().suffixes.storage}'
  batch: 'privatelink.batch.azure.com'
  sites: 'privatelink.azurewebsites.net'
}

resource zones 'Microsoft.Network/privateDnsZones@2024-06-01' = [
  for zone in items(zoneNames): {
    name: zone.value
    location: 'global'
    tags: tags
  }
]

resource links 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [
  for (zone, i) in items(zoneNames): {
    parent: zones[i]
    name: networkName
    location: 'global'
    tags: tags
    properties: {
      registrationEnabled: false
      virtualNetwork: {
        id: networkId
      }
    }
  }
]

resource endpoints 'Microsoft.Network/privateEndpoints@2024-10-01' = [
  for (target, i) in targets: {
    name: 'pe-${target.name}'
    location: location
    tags: tags
    properties: {
      subnet: {
        id: subnetId
      }
      privateLinkServiceConnections: [
        {
          name: target.name
          properties: {
            privateLinkServiceId: targets[i].id
            groupIds: [target.group]
          }
        }
      ]
    }
  }
]

// Until the zone is linked, a name would still lead to the public address.
resource records 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2024-10-01' = [
  for (target, i) in targets: {
    parent: endpoints[i]
    name: 'default'
    properties: {
      privateDnsZoneConfigs: [
        {
          name: target.zone
          properties: {
            privateDnsZoneId: resourceId('Microsoft.Network/privateDnsZones', zoneNames[target.zone])
          }
        }
      ]
    }
    dependsOn: [
      links
    ]
  }
]

@export()
@description('What a private endpoint leads to.')
type endpointTarget = {
  @description('Required. What the name of the endpoint ends with.')
  name: string

  @description('Required. ARM id of the resource.')
  id: string

  @description('Required. Its sub-resource.')
  group: 'blob' | 'batchAccount' | 'nodeManagement' | 'sites'

  @description('Required. The zone that its name is in.')
  zone: 'blob' | 'batch' | 'sites'
}
