// The resource group. azd deploys this first; with az, a group that exists takes its place.

targetScope = 'subscription'

@description('Required. Name of this deployment.')
@minLength(1)
@maxLength(64)
param environmentName string

// The regions of Flex Consumption as Microsoft's timer sample lists them (functions-quickstart-python-azd-timer).
@description('Required. Region of the group and of all resources in it.')
@allowed([
  'australiaeast'
  'australiasoutheast'
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
  'northcentralus'
  'northeurope'
  'norwayeast'
  'southafricanorth'
  'southcentralus'
  'southeastasia'
  'southindia'
  'spaincentral'
  'swedencentral'
  'uaenorth'
  'uksouth'
  'ukwest'
  'westcentralus'
  'westeurope'
  'westus'
  'westus2'
  'westus3'
])
@metadata({
  azd: {
    type: 'location'
  }
})
param location string

@description('Optional. Name of the resource group. By default rg- and the name of the deployment.')
@minLength(1)
@maxLength(90)
param resourceGroupName string = 'rg-${environmentName}'

@description('Optional. Tags of the group.')
param tags { *: string } = {}

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: resourceGroupName
  location: location
  tags: { ...tags, 'azd-env-name': environmentName }
}

output AZURE_RESOURCE_GROUP string = group.name
