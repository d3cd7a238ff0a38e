using 'main.bicep'

import { either, flag, given } from '../names.bicep'

// From the environment, under the names by which azd knows them or `azd env set` gives them. Empty is not set: a
// pipeline passes variables that nobody set as empty texts.
param environmentName = either(readEnvironmentVariable('AZURE_ENV_NAME', ''), 'recur')
param storageAccountName = given(readEnvironmentVariable('STORAGE_ACCOUNT_NAME', ''))
param batchAccountName = given(readEnvironmentVariable('BATCH_ACCOUNT_NAME', ''))
param alertEmail = readEnvironmentVariable('ALERT_EMAIL', '')
param instanceMemoryMB = any(int(either(readEnvironmentVariable('INSTANCE_MEMORY_MB', ''), '512')))
param disableLocalAuth = flag(readEnvironmentVariable('DISABLE_LOCAL_AUTH', ''), true)
param publisherId = given(readEnvironmentVariable('AZURE_PRINCIPAL_ID', ''))
param publisherType = any(given(readEnvironmentVariable('AZURE_PRINCIPAL_TYPE', '')))
param redundancy = any(given(readEnvironmentVariable('STORAGE_REDUNDANCY', '')))
param dataLock = flag(readEnvironmentVariable('DATA_LOCK', ''), true)
param monthlyBudget = int(either(readEnvironmentVariable('MONTHLY_BUDGET', ''), '20'))
param budgetStart = given(readEnvironmentVariable('BUDGET_START', ''))
param network = any(either(readEnvironmentVariable('NETWORK', ''), 'public'))
param networkAddresses = either(readEnvironmentVariable('NETWORK_ADDRESSES', ''), '10.80.0.0/24')
param routeTableId = given(readEnvironmentVariable('ROUTE_TABLE_ID', ''))
param tags = json(either(readEnvironmentVariable('RESOURCE_TAGS', ''), '{}'))
