// The pool: what pool.json and autoscale.formula say, with what only a deployment knows.

import { poolName } from '../names.bicep'

@description('Required. Name of the Batch account.')
param batchAccountName string

@description('Required. ARM id of the identity by which nodes fetch packages and write outputs.')
param nodeIdentityId string

@description('Required. Published version of each application that pool.json names.')
param packageVersions { *: string }

@description('Optional. Size of a node.')
param vmSize string = loadJsonContent('pool.json').vmSize

@description('Optional. Dedicated nodes, or Spot nodes, which cost a fraction and may be taken away in the middle of a task.')
param nodeKind nodeKindName = 'dedicated'

@description('Optional. The most nodes at a time. There are none while no task is pending.')
@minValue(1)
@maxValue(1000)
param maximumNodes int = 1

@description('Optional. Operating system of the nodes. On Windows the setup package holds setup.cmd in place of setup.sh.')
param poolOs operatingSystem = 'linux'

@description('Optional. SKU of the image, for a size that cannot run the one of pool.json: server-gen1 for sizes of generation 1.')
param imageSku string?

@description('Optional. ARM id of an identity of yours, as which the jobs open your databases and vaults. Tasks get its client id as AZURE_CLIENT_ID.')
param jobIdentityId string?

@description('Optional. ARM id of a subnet for the nodes.')
param subnetId string?

@description('Optional. Whether nodes have public addresses. Without them a subnet is needed, with its own way out and a private endpoint to the nodeManagement of the account; the private network of infra/core has both.')
param publicAddresses bool = true

@description('Optional. Whether nodes boot by verified code only. Sizes of generation 1 cannot.')
param trustedLaunch bool = true

@description('Optional. Whether disks are encrypted on the machine that a node runs on. By default where the size is known to have it.')
param encryptionAtHost bool?

@description('Optional. Tags of the pool.')
param tags { *: string } = {}

var linux = loadJsonContent('pool.json')
var windows = loadJsonContent('pool.windows.json')

var machine = poolOs == 'windows'
  ? windows.deploymentConfiguration.virtualMachineConfiguration
  : linux.deploymentConfiguration.virtualMachineConfiguration

var startCommand = poolOs == 'windows' ? windows.startTask.commandLine : linux.startTask.commandLine

var formula = replace(
  replace(loadTextContent('autoscale.formula'), 'maxNodes = 1;', 'maxNodes = ${maximumNodes};'),
  'spot = 0;',
  'spot = ${nodeKind == 'spot' ? 1 : 0};'
)

resource account 'Microsoft.Batch/batchAccounts@2025-06-01' existing = {
  name: batchAccountName

  resource application 'applications' existing = [
    for package in linux.applicationPackages: {
      name: package.id
    }
  ]
}

var packages = [
  for (package, i) in linux.applicationPackages: {
    id: account::application[i].id
    version: packageVersions[?package.id] ?? fail('packageVersions has no ${package.id}: run recur publish first')
  }
]

resource jobIdentity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = if (jobIdentityId != null) {
  scope: resourceGroup(split(jobIdentityId!, '/')[2], split(jobIdentityId!, '/')[4])
  name: last(split(jobIdentityId!, '/'))
}

// The function app reads the pool before it submits, and gives tasks what it finds here.
var jobMetadata = [
  {
    name: 'recur_job_client_id'
    value: jobIdentity!.properties.clientId
  }
]

var network = {
  subnetId: subnetId
  publicIPAddressConfiguration: {
    provision: publicAddresses
      ? 'BatchManaged'
      : subnetId == null ? fail('publicAddresses=false needs a subnetId') : 'NoPublicIPAddresses'
  }
}

var hardening = {
  ...(trustedLaunch
    ? { securityType: 'trustedLaunch', uefiSettings: { secureBootEnabled: true, vTpmEnabled: true } }
    : {})
  ...((encryptionAtHost ?? vmSize == linux.vmSize) ? { encryptionAtHost: true } : {})
}

resource pool 'Microsoft.Batch/batchAccounts/pools@2025-06-01' = {
  parent: account
  name: poolName
  tags: empty(tags) ? null : tags
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${nodeIdentityId}': {}
      ...(jobIdentityId == null ? {} : { '${jobIdentityId!}': {} })
    }
  }
  properties: {
    ...linux
    vmSize: vmSize
    deploymentConfiguration: {
      virtualMachineConfiguration: {
        ...machine
        imageReference: { ...machine.imageReference, ...(imageSku == null ? {} : { sku: imageSku! }) }
        ...(empty(hardening) ? {} : { securityProfile: hardening })
      }
    }
    scaleSettings: {
      autoScale: {
        ...linux.scaleSettings.autoScale
        formula: formula
      }
    }
    startTask: {
      ...linux.startTask
      commandLine: startCommand
    }
    applicationPackages: packages
    ...(subnetId == null && publicAddresses ? {} : { networkConfiguration: network })
    ...(jobIdentityId == null ? {} : { metadata: jobMetadata })
  }
}

@export()
@description('How nodes are paid for.')
type nodeKindName = 'dedicated' | 'spot'

@export()
@description('What nodes run.')
type operatingSystem = 'linux' | 'windows'
