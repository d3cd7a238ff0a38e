using 'main.bicep'

import { given } from '../names.bicep'

// From the environment, under the names by which azd knows them or `azd env set` gives them.
param environmentName = readEnvironmentVariable('AZURE_ENV_NAME', 'recur')
param storageAccountName = given(readEnvironmentVariable('STORAGE_ACCOUNT_NAME', ''))
param batchAccountName = given(readEnvironmentVariable('BATCH_ACCOUNT_NAME', ''))
param alertEmail = readEnvironmentVariable('ALERT_EMAIL', '')
param instanceMemoryMB = any(int(readEnvironmentVariable('INSTANCE_MEMORY_MB', '512')))
param disableLocalAuth = bool(readEnvironmentVariable('DISABLE_LOCAL_AUTH', 'true'))
param publisherId = given(readEnvironmentVariable('AZURE_PRINCIPAL_ID', ''))
param publisherType = readEnvironmentVariable('AZURE_PRINCIPAL_TYPE', 'User')
param tags = json(readEnvironmentVariable('RESOURCE_TAGS', '{}'))
