using 'main.bicep'

import { given } from '../names.bicep'

// What infra/core gives out and `recur publish` prints.
param batchAccountName = readEnvironmentVariable('BATCH_ACCOUNT_NAME', '')
param nodeIdentityId = readEnvironmentVariable('NODE_IDENTITY_ID', '')
param packageVersions = json(readEnvironmentVariable('PACKAGE_VERSIONS', '{}'))

// What is chosen, under the names by which `azd env set` gives it.
param vmSize = readEnvironmentVariable('VM_SIZE', loadJsonContent('pool.json').vmSize)
param nodeKind = any(readEnvironmentVariable('NODE_KIND', 'dedicated'))
param maximumNodes = int(readEnvironmentVariable('MAXIMUM_NODES', '1'))
param poolOs = any(readEnvironmentVariable('POOL_OS', 'linux'))
param jobIdentityId = given(readEnvironmentVariable('JOB_IDENTITY_ID', ''))
param subnetId = given(readEnvironmentVariable('SUBNET_ID', ''))
param publicAddresses = bool(readEnvironmentVariable('PUBLIC_ADDRESSES', 'true'))
param trustedLaunch = bool(readEnvironmentVariable('TRUSTED_LAUNCH', 'false'))
param tags = json(readEnvironmentVariable('RESOURCE_TAGS', '{}'))
