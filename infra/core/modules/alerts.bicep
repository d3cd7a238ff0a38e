@description('Required. Region of the log rules.')
param location string

@description('Required. What the names of the rules begin with, followed by a hyphen.')
param prefix string

@description('Required. Name of the workspace that the queries read.')
param workspaceName string

@description('Required. Name of the Batch account whose nodes are watched.')
param batchAccountName string

@description('Optional. Where mails go. Without it the alerts are there, and nobody is told.')
param email string = ''

@description('Optional. Tags of every resource.')
param tags { *: string } = {}

// Each rule has a section in docs/alerts.md, which its mail names.
//
// Log rules cost by frequency, and a quarter of an hour is the cheapest. A query looks back further than that, so that
// what arrives late is seen too; no mail comes twice for it, since a rule that resolves itself tells once of each
// combination of its dimensions, and once more when that is over.
var logRules logRule[] = [
  {
    name: 'run-failed'
    query: loadTextContent('../../alerts/run-failed.kql')
    summary: 'A run did not succeed, or occurrences were missed.'
    severity: 1
    lookBack: 'P1D'
    dimensions: ['schedule', 'run_id', 'outcome', 'reason', 'sentence', 'about']
  }
  {
    name: 'run-slow'
    query: loadTextContent('../../alerts/run-slow.kql')
    summary: 'A run takes more than twice as long as its schedule usually does.'
    severity: 2
    lookBack: 'P1D'
    dimensions: ['schedule', 'run_id', 'usual_seconds', 'about']
  }
  {
    name: 'schedule-overdue'
    query: loadTextContent('../../alerts/schedule-overdue.kql')
    summary: 'A schedule has not succeeded for longer than it should take.'
    severity: 1
    lookBack: 'PT1H'
    dimensions: ['schedule', 'last_success', 'about']
  }
  {
    name: 'tick-silent'
    query: loadTextContent('../../alerts/tick-silent.kql')
    summary: 'A timer function gives no heartbeat: nothing is submitted, or nothing is collected.'
    severity: 0
    lookBack: 'P1D'
    dimensions: ['function']
  }
  {
    name: 'product-trouble'
    query: loadTextContent('../../alerts/product-trouble.kql')
    summary: 'The timer functions tick and cannot do their work, or the ledger is damaged.'
    severity: 1
    lookBack: 'P2D'
    dimensions: ['function', 'schedule', 'reason', 'sentence', 'about']
  }
  {
    name: 'pool-trouble'
    query: loadTextContent('../../alerts/pool-trouble.kql')
    summary: 'The pool gets no node, or a task finds no place on one.'
    severity: 2
    lookBack: 'P1D'
    dimensions: ['pool', 'trouble', 'reason', 'sentence']
  }
]

// Counts of nodes have no dimension and reach no workspace, so only metric rules can see them. Several criteria of one
// rule must hold together: one rule for each.
var metricRules metricRule[] = [
  {
    name: 'start-task-failed'
    runbook: 'start-task-failed'
    metric: 'StartTaskFailedNodeCount'
    summary: 'A node is up and its start task failed: it costs and takes no task.'
    threshold: '0'
    window: 'PT15M'
    frequency: 'PT5M'
  }
  {
    name: 'node-unusable'
    runbook: 'node-unusable'
    metric: 'UnusableNodeCount'
    summary: 'A node is up and cannot be used: it costs and takes no task.'
    threshold: '0'
    window: 'PT15M'
    frequency: 'PT5M'
  }
  {
    name: 'node-idle'
    runbook: 'node-idle'
    metric: 'IdleNodeCount'
    summary: 'For most of an hour a node has had nothing to do.'
    threshold: '0.5'
    window: 'PT1H'
    frequency: 'PT15M'
  }
  {
    name: 'node-long-running'
    runbook: 'node-long-running'
    metric: 'TotalNodeCount'
    summary: 'For most of half a day the pool has had a dedicated node.'
    threshold: '0.5'
    window: 'PT12H'
    frequency: 'PT1H'
  }
  {
    name: 'node-long-running-spot'
    runbook: 'node-long-running'
    metric: 'TotalLowPriorityNodeCount'
    summary: 'For most of half a day the pool has had a Spot node.'
    threshold: '0.5'
    window: 'PT12H'
    frequency: 'PT1H'
  }
]

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' existing = {
  name: workspaceName
}

resource batchAccount 'Microsoft.Batch/batchAccounts@2025-06-01' existing = {
  name: batchAccountName
}

resource actionGroup 'Microsoft.Insights/actionGroups@2023-01-01' = if (!empty(email)) {
  name: '${prefix}-operators'
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'recur'
    emailReceivers: [
      {
        name: 'operators'
        emailAddress: email
        useCommonAlertSchema: true
      }
    ]
  }
}

resource logAlerts 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [
  for rule in logRules: {
    name: '${prefix}-${rule.name}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: '${prefix}-${rule.name}'
      description: '${rule.summary} What to do: docs/alerts.md, "Alert: ${rule.name}".'
      severity: rule.severity
      scopes: [workspace.id]
      evaluationFrequency: 'PT15M'
      windowSize: 'PT15M'
      overrideQueryTimeRange: rule.lookBack
      autoMitigate: true
      // A table exists after its first row, a column after the first event that has it.
      skipQueryValidation: true
      criteria: {
        allOf: [
          {
            query: rule.query
            timeAggregation: 'Count'
            operator: 'GreaterThan'
            threshold: 0
            dimensions: [
              for dimension in rule.dimensions: {
                name: dimension
                operator: 'Include'
                values: ['*']
              }
            ]
            failingPeriods: {
              numberOfEvaluationPeriods: 1
              minFailingPeriodsToAlert: 1
            }
          }
        ]
      }
      actions: {
        actionGroups: empty(email) ? [] : [actionGroup.id]
      }
    }
  }
]

resource metricAlerts 'Microsoft.Insights/metricAlerts@2018-03-01' = [
  for rule in metricRules: {
    name: '${prefix}-${rule.name}'
    location: 'global'
    tags: tags
    properties: {
      description: '${rule.summary} What to do: docs/alerts.md, "Alert: ${rule.runbook}".'
      severity: 2
      enabled: true
      scopes: [batchAccount.id]
      evaluationFrequency: rule.frequency
      windowSize: rule.window
      autoMitigate: true
      criteria: {
        'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
        allOf: [
          {
            name: 'nodes'
            criterionType: 'StaticThresholdCriterion'
            metricNamespace: 'Microsoft.Batch/batchAccounts'
            metricName: rule.metric
            timeAggregation: 'Average'
            operator: 'GreaterThan'
            threshold: json(rule.threshold)
          }
        ]
      }
      actions: empty(email)
        ? []
        : [
            {
              actionGroupId: actionGroup.id
            }
          ]
    }
  }
]

@description('A rule on the rows of a query.')
type logRule = {
  @description('Required. Name of the rule and of its section in docs/alerts.md.')
  name: string

  @description('Required. The query: it returns a row for each thing that is wrong.')
  query: string

  @description('Required. What has happened, in a sentence.')
  summary: string

  @description('Required. 0 (critical) to 4 (verbose).')
  severity: 0 | 1 | 2 | 3 | 4

  @description('Required. How far back the query may look, whatever it says itself.')
  lookBack: 'PT1H' | 'P1D' | 'P2D'

  @description('Required. Columns of the query: each combination of their values is an alert of its own, and the mail names them.')
  dimensions: string[]
}

@description('A rule on an average number of nodes.')
type metricRule = {
  @description('Required. Name of the rule.')
  name: string

  @description('Required. Name of its section in docs/alerts.md.')
  runbook: string

  @description('Required. Metric of the Batch account.')
  metric: string

  @description('Required. What has happened, in a sentence.')
  summary: string

  @description('Required. The average above which it fires. A text, since Bicep knows whole numbers only.')
  threshold: string

  @description('Required. Over which time the average is taken.')
  window: string

  @description('Required. How often.')
  frequency: string
}
