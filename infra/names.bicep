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
@description('Container of the code storage into which the function app\'s code is deployed.')
var deploymentContainer = 'deployment'

@export()
@description('Container of the host storage in which the Functions host notes when its timers fired.')
var timersContainer = 'azure-webjobs-hosts'

@export()
@description('A value from the environment, or null where it is empty: then the default holds.')
func given(value string) string? => empty(value) ? null : value

@export()
@description('A value from the environment, or the default where it is empty.')
func either(value string, default string) string => empty(value) ? default : value

@export()
@description('A yes or no from the environment, or the default where it is empty.')
func flag(value string, default bool) bool => empty(value) ? default : bool(value)

@export()
@description('A yes or no from the environment, or null where it is empty: then the default holds.')
func givenFlag(value string) bool? => empty(value) ? null : bool(value)
