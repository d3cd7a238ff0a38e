using 'main.bicep'

import { either } from '../names.bicep'

// From the environment, under the names by which azd knows them or `azd env set` gives them. Empty is not set.
param environmentName = either(readEnvironmentVariable('AZURE_ENV_NAME', ''), 'recur')
param location = any(readEnvironmentVariable('AZURE_LOCATION', ''))
param resourceGroupName = either(
  readEnvironmentVariable('AZURE_RESOURCE_GROUP', ''),
  'rg-${either(readEnvironmentVariable('AZURE_ENV_NAME', ''), 'recur')}'
)
param tags = json(either(readEnvironmentVariable('RESOURCE_TAGS', ''), '{}'))
