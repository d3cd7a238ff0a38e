@description('Required. Name of the virtual network; the other names follow from it.')
param name string

@description('Required. Region of the network.')
param location string

@description('Required. Addresses of the network: 256 or more, such as a /24, which no connected network uses.')
param addressPrefix string

@description('Optional. ARM id of a route table that leads to a firewall of yours. It takes the place of the NAT gateway.')
param routeTableId string?

@description('Optional. Tags of every resource.')
param tags { *: string } = {}

// Entra, telemetry and package mirrors lie outside: nothing here has a public address, so there must be a way out.
var ownWayOut = routeTableId != null

resource address 'Microsoft.Network/publicIPAddresses@2024-10-01' = if (!ownWayOut) {
  name: 'pip-${name}'
  location: location
  tags: tags
  sku: {
    name: 'Standard'
  }
  properties: {
    publicIPAllocationMethod: 'Static'
  }
}

resource gateway 'Microsoft.Network/natGateways@2024-10-01' = if (!ownWayOut) {
  name: 'nat-${name}'
  location: location
  tags: tags
  sku: {
    name: 'Standard'
  }
  properties: {
    publicIpAddresses: [
      {
        id: address.id
      }
    ]
  }
}

// The default rules: nothing comes in but from the network itself.
resource securityGroup 'Microsoft.Network/networkSecurityGroups@2024-10-01' = {
  name: 'nsg-${name}'
  location: location
  tags: tags
}

var wayOut = ownWayOut ? { routeTable: { id: routeTableId! } } : { natGateway: { id: gateway.id } }

resource network 'Microsoft.Network/virtualNetworks@2024-10-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    addressSpace: {
      addressPrefixes: [addressPrefix]
    }
    subnets: [
      {
        name: 'functions'
        properties: {
          addressPrefix: cidrSubnet(addressPrefix, 26, 0)
          defaultOutboundAccess: false
          delegations: [
            {
              name: 'flex-consumption'
              properties: {
                serviceName: 'Microsoft.App/environments'
              }
            }
          ]
          networkSecurityGroup: {
            id: securityGroup.id
          }
          ...wayOut
        }
      }
      {
        name: 'nodes'
        properties: {
          addressPrefix: cidrSubnet(addressPrefix, 26, 1)
          defaultOutboundAccess: false
          networkSecurityGroup: {
            id: securityGroup.id
          }
          ...wayOut
        }
      }
      {
        name: 'endpoints'
        properties: {
          addressPrefix: cidrSubnet(addressPrefix, 26, 2)
          defaultOutboundAccess: false
          networkSecurityGroup: {
            id: securityGroup.id
          }
          privateEndpointNetworkPolicies: 'Enabled'
        }
      }
    ]
  }
}
