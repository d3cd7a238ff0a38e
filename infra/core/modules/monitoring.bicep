@description('Required. Region of workspace and component.')
param location string

@description('Required. Name of the Log Analytics workspace.')
param workspaceName string

@description('Required. Name of the Application Insights component.')
param componentName string

@description('Optional. Whether telemetry is taken from Entra identities only.')
param disableLocalAuth bool = true

@description('Optional. Gigabytes a day after which no more is taken in: a bound on the bill. What comes later is lost, and alerts on events with it.')
@minValue(1)
param dailyCapGB int = 1

@description('Optional. Tags of every resource.')
param tags { *: string } = {}

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' = {
  name: workspaceName
  location: location
  tags: tags
  properties: {
    sku: {
      name: 'PerGB2018'
    }
    retentionInDays: 30
    features: {
      disableLocalAuth: disableLocalAuth
    }
    workspaceCapping: {
      dailyQuotaGb: dailyCapGB
    }
  }
}

resource component 'Microsoft.Insights/components@2020-02-02' = {
  name: componentName
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    DisableLocalAuth: disableLocalAuth
    WorkspaceResourceId: workspace.id
  }
}
