@export()
@description('The one pool. The function app submits to it by this name.')
var poolName = 'recur'

@export()
@description('Container of schedules, claims and records. Nodes can read it and cannot write it.')
var ledgerContainer = 'ledger'

@export()
@description('Container of what the tasks write.')
var outputsContainer = 'outputs'

@export()
@description('The applications whose packages the pool puts on every node.')
var applications = map(loadJsonContent('pool/pool.json').applicationPackages, package => package.id)

@export()
@description('Container of the host storage into which the function app\'s code is deployed.')
var deploymentContainer = 'deployment'

@export()
@description('Container of the host storage in which the Functions host notes when its timers fired.')
var timersContainer = 'azure-webjobs-hosts'

@export()
@description('A value from the environment, or null where it is empty: then the default holds.')
func given(value string) string? => empty(value) ? null : value
