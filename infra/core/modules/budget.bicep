@description('Required. Name of the budget.')
param name string

@description('Required. What a month may cost, in the currency of the bill, before mails go out.')
@minValue(1)
param amount int

@description('Required. First day of the first month, such as 2026-12-01. Azure refuses to change it.')
param start string

@description('Optional. Where mails go. Without it to the owners of the subscription.')
param email string = ''

var notification = {
  enabled: true
  operator: 'GreaterThan'
  contactEmails: empty(email) ? [] : [email]
  contactRoles: empty(email) ? ['Owner'] : []
}

resource budget 'Microsoft.Consumption/budgets@2024-08-01' = {
  name: name
  properties: {
    category: 'Cost'
    amount: amount
    timeGrain: 'Monthly'
    timePeriod: {
      startDate: start
    }
    notifications: {
      spent: { ...notification, threshold: 100, thresholdType: 'Actual' }
      foreseen: { ...notification, threshold: 100, thresholdType: 'Forecasted' }
    }
  }
}
