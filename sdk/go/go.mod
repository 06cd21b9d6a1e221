module ruledesk.local/sdk

go 1.24
