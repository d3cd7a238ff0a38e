using 'main.bicep'

import { either, flag, given, givenFlag } from '../names.bicep'

// What infra/core gives out and `recur publish` prints.
param batchAccountName = readEnvironmentVariable('BATCH_ACCOUNT_NAME', '')
param nodeIdentityId = readEnvironmentVariable('NODE_IDENTITY_ID', '')
param packageVersions = json(either(readEnvironmentVariable('PACKAGE_VERSIONS', ''), '{}'))

// What is chosen, under the names by which `azd env set` gives it. Empty is not set.
param vmSize = either(readEnvironmentVariable('VM_SIZE', ''), loadJsonContent('pool.json').vmSize)
param nodeKind = any(either(readEnvironmentVariable('NODE_KIND', ''), 'dedicated'))
param maximumNodes = int(either(readEnvironmentVariable('MAXIMUM_NODES', ''), '1'))
param poolOs = any(either(readEnvironmentVariable('POOL_OS', ''), 'linux'))
param imageSku = given(readEnvironmentVariable('IMAGE_SKU', ''))
param jobIdentityId = given(readEnvironmentVariable('JOB_IDENTITY_ID', ''))
param trustedLaunch = flag(readEnvironmentVariable('TRUSTED_LAUNCH', ''), true)
param encryptionAtHost = givenFlag(readEnvironmentVariable('ENCRYPTION_AT_HOST', ''))
param tags = json(either(readEnvironmentVariable('RESOURCE_TAGS', ''), '{}'))

// A subnet of yours, or that of the private network of infra/core, whose nodes have no public address.
param subnetId = given(either(readEnvironmentVariable('SUBNET_ID', ''), readEnvironmentVariable('NODE_SUBNET_ID', '')))
param publicAddresses = flag(
  readEnvironmentVariable('PUBLIC_ADDRESSES', ''),
  empty(readEnvironmentVariable('NODE_SUBNET_ID', ''))
)
