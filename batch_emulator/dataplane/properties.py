"""
The properties of each kind of resource, for ``$select``: an unknown name is refused.

The table has the objects of replies, by their names in azure-batch 15.1, each with its properties.
If a property holds such an object, or a list of them, the object's name follows ``=``.
"""

import re
from collections.abc import Mapping
from typing import Final

type Properties = Mapping[str, Properties]
"""Names of properties, each with the names of its own properties; a plain value has none."""

_OBJECTS: Final = """
BatchPool: id displayName url eTag lastModified creationTime state stateTransitionTime
    allocationState allocationStateTransitionTime vmSize
    virtualMachineConfiguration=VirtualMachineConfiguration resizeTimeout resizeErrors=ResizeError
    currentDedicatedNodes currentLowPriorityNodes targetDedicatedNodes targetLowPriorityNodes
    enableAutoScale autoScaleFormula autoScaleEvaluationInterval autoScaleRun=AutoScaleRun
    enableInterNodeCommunication networkConfiguration=NetworkConfiguration
    startTask=BatchStartTask applicationPackageReferences=BatchApplicationPackageReference
    taskSlotsPerNode taskSchedulingPolicy=BatchTaskSchedulingPolicy userAccounts=UserAccount
    metadata=BatchMetadataItem stats=BatchPoolStatistics mountConfiguration=MountConfiguration
    identity=BatchPoolIdentity upgradePolicy=UpgradePolicy
VirtualMachineConfiguration: imageReference=BatchVmImageReference nodeAgentSKUId
    windowsConfiguration=WindowsConfiguration dataDisks=DataDisk licenseType
    containerConfiguration=BatchContainerConfiguration
    diskEncryptionConfiguration=DiskEncryptionConfiguration
    nodePlacementConfiguration=BatchNodePlacementConfiguration extensions=VMExtension
    osDisk=BatchOsDisk securityProfile=SecurityProfile
    serviceArtifactReference=ServiceArtifactReference
BatchVmImageReference: publisher offer sku version virtualMachineImageId exactVersion
    sharedGalleryImageId communityGalleryImageId
WindowsConfiguration: enableAutomaticUpdates
DataDisk: lun caching diskSizeGB managedDisk=ManagedDisk
ManagedDisk: diskEncryptionSet=DiskEncryptionSetParameters storageAccountType
    securityProfile=BatchVmDiskSecurityProfile
DiskEncryptionSetParameters: id
BatchVmDiskSecurityProfile: securityEncryptionType
BatchContainerConfiguration: type containerImageNames
    containerRegistries=ContainerRegistryReference
ContainerRegistryReference: username password registryServer
    identityReference=BatchNodeIdentityReference
BatchNodeIdentityReference: resourceId
DiskEncryptionConfiguration: customerManagedKey=DiskCustomerManagedKey targets
DiskCustomerManagedKey: identityReference=BatchPoolIdentityReference keyUrl
    rotationToLatestKeyVersionEnabled
BatchPoolIdentityReference: resourceId
BatchNodePlacementConfiguration: policy
VMExtension: name publisher type typeHandlerVersion autoUpgradeMinorVersion enableAutomaticUpgrade
    settings protectedSettings provisionAfterExtensions
BatchOsDisk: ephemeralOSDiskSettings=BatchDiffDiskSettings caching diskSizeGB
    managedDisk=ManagedDisk writeAcceleratorEnabled
BatchDiffDiskSettings: placement
SecurityProfile: encryptionAtHost proxyAgentSettings=ProxyAgentSettings securityType
    uefiSettings=BatchUefiSettings
ProxyAgentSettings: enabled imds=HostEndpointSettings wireServer=HostEndpointSettings
HostEndpointSettings: inVMAccessControlProfileReferenceId mode
BatchUefiSettings: secureBootEnabled vTpmEnabled
ServiceArtifactReference: id
ResizeError: code message values=NameValuePair
NameValuePair: name value
AutoScaleRun: timestamp results error=AutoScaleRunError
AutoScaleRunError: code message values=NameValuePair
NetworkConfiguration: subnetId dynamicVNetAssignmentScope
    endpointConfiguration=BatchPoolEndpointConfiguration
    publicIPAddressConfiguration=BatchPublicIpAddressConfiguration enableAcceleratedNetworking
BatchPoolEndpointConfiguration: inboundNATPools=BatchInboundNatPool
BatchInboundNatPool: name protocol backendPort frontendPortRangeStart frontendPortRangeEnd
    networkSecurityGroupRules=NetworkSecurityGroupRule
NetworkSecurityGroupRule: priority access sourceAddressPrefix sourcePortRanges
BatchPublicIpAddressConfiguration: provision ipFamilies ipAddressIds ipTags=IPTag
IPTag: ipTagType tag
BatchStartTask: commandLine containerSettings=BatchTaskContainerSettings
    resourceFiles=ResourceFile environmentSettings=EnvironmentSetting userIdentity=UserIdentity
    maxTaskRetryCount waitForSuccess
BatchTaskContainerSettings: containerRunOptions imageName registry=ContainerRegistryReference
    workingDirectory containerHostBatchBindMounts=ContainerHostBatchBindMountEntry
ContainerHostBatchBindMountEntry: source isReadOnly
ResourceFile: autoStorageContainerName storageContainerUrl httpUrl blobPrefix filePath fileMode
    identityReference=BatchNodeIdentityReference
EnvironmentSetting: name value
UserIdentity: username autoUser=AutoUserSpecification
AutoUserSpecification: scope elevationLevel
BatchApplicationPackageReference: applicationId version
BatchTaskSchedulingPolicy: jobDefaultOrder nodeFillType
UserAccount: name password elevationLevel linuxUserConfiguration=LinuxUserConfiguration
    windowsUserConfiguration=WindowsUserConfiguration
LinuxUserConfiguration: uid gid sshPrivateKey
WindowsUserConfiguration: loginMode
BatchMetadataItem: name value
BatchPoolStatistics: url startTime lastUpdateTime usageStats=BatchPoolUsageStatistics
    resourceStats=BatchPoolResourceStatistics
BatchPoolUsageStatistics: startTime lastUpdateTime dedicatedCoreTime
BatchPoolResourceStatistics: startTime lastUpdateTime avgCPUPercentage avgMemoryGiB peakMemoryGiB
    avgDiskGiB peakDiskGiB diskReadIOps diskWriteIOps diskReadGiB diskWriteGiB networkReadGiB
    networkWriteGiB
MountConfiguration: azureBlobFileSystemConfiguration=AzureBlobFileSystemConfiguration
    nfsMountConfiguration=NfsMountConfiguration cifsMountConfiguration=CifsMountConfiguration
    azureFileShareConfiguration=AzureFileShareConfiguration
AzureBlobFileSystemConfiguration: accountName containerName accountKey sasKey blobfuseOptions
    relativeMountPath identityReference=BatchNodeIdentityReference
NfsMountConfiguration: source relativeMountPath mountOptions
CifsMountConfiguration: username source relativeMountPath mountOptions password
AzureFileShareConfiguration: accountName accountKey azureFileUrl relativeMountPath mountOptions
BatchPoolIdentity: type userAssignedIdentities=BatchUserAssignedIdentity
BatchUserAssignedIdentity: resourceId clientId principalId
UpgradePolicy: mode automaticOSUpgradePolicy=AutomaticOsUpgradePolicy
    rollingUpgradePolicy=RollingUpgradePolicy
AutomaticOsUpgradePolicy: disableAutomaticRollback enableAutomaticOSUpgrade
    useRollingUpgradePolicy osRollingUpgradeDeferral
RollingUpgradePolicy: enableCrossZoneUpgrade maxBatchInstancePercent maxUnhealthyInstancePercent
    maxUnhealthyUpgradedInstancePercent pauseTimeBetweenBatches prioritizeUnhealthyInstances
    rollbackFailedInstancesOnPolicyBreach
BatchNode: id url state schedulingState stateTransitionTime lastBootTime allocationTime ipAddress
    ipv6Address affinityId vmSize totalTasksRun runningTasksCount runningTaskSlotsCount
    totalTasksSucceeded recentTasks=BatchTaskInfo startTask=BatchStartTask
    startTaskInfo=BatchStartTaskInfo errors=BatchNodeError isDedicated
    endpointConfiguration=BatchNodeEndpointConfiguration nodeAgentInfo=BatchNodeAgentInfo
    virtualMachineInfo=VirtualMachineInfo
BatchTaskInfo: taskUrl jobId taskId subtaskId taskState executionInfo=BatchTaskExecutionInfo
BatchTaskExecutionInfo: startTime endTime exitCode containerInfo=BatchTaskContainerExecutionInfo
    failureInfo=BatchTaskFailureInfo retryCount lastRetryTime requeueCount lastRequeueTime result
BatchTaskContainerExecutionInfo: containerId state error
BatchTaskFailureInfo: category code message details=NameValuePair
BatchStartTaskInfo: state startTime endTime exitCode containerInfo=BatchTaskContainerExecutionInfo
    failureInfo=BatchTaskFailureInfo retryCount lastRetryTime result
BatchNodeError: code message errorDetails=NameValuePair
BatchNodeEndpointConfiguration: inboundEndpoints=InboundEndpoint
InboundEndpoint: name protocol publicIPAddress publicFQDN frontendPort backendPort
BatchNodeAgentInfo: version lastUpdateTime
VirtualMachineInfo: imageReference=BatchVmImageReference scaleSetVmResourceId
BatchJob: id displayName usesTaskDependencies url eTag lastModified creationTime state
    stateTransitionTime previousState previousStateTransitionTime priority allowTaskPreemption
    maxParallelTasks constraints=BatchJobConstraints jobManagerTask=BatchJobManagerTask
    jobPreparationTask=BatchJobPreparationTask jobReleaseTask=BatchJobReleaseTask
    commonEnvironmentSettings=EnvironmentSetting poolInfo=BatchPoolInfo onAllTasksComplete
    onTaskFailure networkConfiguration=BatchJobNetworkConfiguration metadata=BatchMetadataItem
    executionInfo=BatchJobExecutionInfo stats=BatchJobStatistics
BatchJobConstraints: maxWallClockTime maxTaskRetryCount
BatchJobManagerTask: id displayName commandLine containerSettings=BatchTaskContainerSettings
    resourceFiles=ResourceFile outputFiles=OutputFile environmentSettings=EnvironmentSetting
    constraints=BatchTaskConstraints requiredSlots killJobOnCompletion userIdentity=UserIdentity
    runExclusive applicationPackageReferences=BatchApplicationPackageReference
    allowLowPriorityNode
OutputFile: filePattern destination=OutputFileDestination
    uploadOptions=OutputFileUploadConfiguration
OutputFileDestination: container=OutputFileBlobContainerDestination
OutputFileBlobContainerDestination: path containerUrl identityReference=BatchNodeIdentityReference
    uploadHeaders=OutputFileUploadHeader
OutputFileUploadHeader: name value
OutputFileUploadConfiguration: uploadCondition
BatchTaskConstraints: maxWallClockTime retentionTime maxTaskRetryCount
BatchJobPreparationTask: id commandLine containerSettings=BatchTaskContainerSettings
    resourceFiles=ResourceFile environmentSettings=EnvironmentSetting
    constraints=BatchTaskConstraints waitForSuccess userIdentity=UserIdentity
    rerunOnNodeRebootAfterSuccess
BatchJobReleaseTask: id commandLine containerSettings=BatchTaskContainerSettings
    resourceFiles=ResourceFile environmentSettings=EnvironmentSetting maxWallClockTime
    retentionTime userIdentity=UserIdentity
BatchPoolInfo: poolId autoPoolSpecification=BatchAutoPoolSpecification
BatchAutoPoolSpecification: autoPoolIdPrefix poolLifetimeOption keepAlive
    pool=BatchPoolSpecification
BatchPoolSpecification: displayName vmSize virtualMachineConfiguration=VirtualMachineConfiguration
    taskSlotsPerNode taskSchedulingPolicy=BatchTaskSchedulingPolicy resizeTimeout
    targetDedicatedNodes targetLowPriorityNodes enableAutoScale autoScaleFormula
    autoScaleEvaluationInterval enableInterNodeCommunication
    networkConfiguration=NetworkConfiguration startTask=BatchStartTask
    applicationPackageReferences=BatchApplicationPackageReference userAccounts=UserAccount
    metadata=BatchMetadataItem mountConfiguration=MountConfiguration upgradePolicy=UpgradePolicy
BatchJobNetworkConfiguration: subnetId skipWithdrawFromVNet
BatchJobExecutionInfo: startTime endTime poolId schedulingError=BatchJobSchedulingError
    terminateReason
BatchJobSchedulingError: category code message details=NameValuePair
BatchJobStatistics: url startTime lastUpdateTime userCPUTime kernelCPUTime wallClockTime readIOps
    writeIOps readIOGiB writeIOGiB numSucceededTasks numFailedTasks numTaskRetries waitTime
BatchTask: id displayName url eTag lastModified creationTime exitConditions=ExitConditions state
    stateTransitionTime previousState previousStateTransitionTime commandLine
    containerSettings=BatchTaskContainerSettings resourceFiles=ResourceFile outputFiles=OutputFile
    environmentSettings=EnvironmentSetting affinityInfo=BatchAffinityInfo
    constraints=BatchTaskConstraints requiredSlots userIdentity=UserIdentity
    executionInfo=BatchTaskExecutionInfo nodeInfo=BatchNodeInfo
    multiInstanceSettings=MultiInstanceSettings stats=BatchTaskStatistics
    dependsOn=BatchTaskDependencies applicationPackageReferences=BatchApplicationPackageReference
ExitConditions: exitCodes=ExitCodeMapping exitCodeRanges=ExitCodeRangeMapping
    preProcessingError=ExitOptions fileUploadError=ExitOptions default=ExitOptions
ExitCodeMapping: code exitOptions=ExitOptions
ExitOptions: jobAction dependencyAction
ExitCodeRangeMapping: start end exitOptions=ExitOptions
BatchAffinityInfo: affinityId
BatchNodeInfo: affinityId nodeUrl poolId nodeId taskRootDirectory taskRootDirectoryUrl
MultiInstanceSettings: numberOfInstances coordinationCommandLine commonResourceFiles=ResourceFile
BatchTaskStatistics: url startTime lastUpdateTime userCPUTime kernelCPUTime wallClockTime readIOps
    writeIOps readIOGiB writeIOGiB waitTime
BatchTaskDependencies: taskIds taskIdRanges=BatchTaskIdRange
BatchTaskIdRange: start end
BatchJobSchedule: id displayName url eTag lastModified creationTime state stateTransitionTime
    previousState previousStateTransitionTime schedule=BatchJobScheduleConfiguration
    jobSpecification=BatchJobSpecification executionInfo=BatchJobScheduleExecutionInfo
    metadata=BatchMetadataItem stats=BatchJobScheduleStatistics
BatchJobScheduleConfiguration: doNotRunUntil doNotRunAfter startWindow recurrenceInterval
BatchJobSpecification: priority allowTaskPreemption maxParallelTasks displayName
    usesTaskDependencies onAllTasksComplete onTaskFailure
    networkConfiguration=BatchJobNetworkConfiguration constraints=BatchJobConstraints
    jobManagerTask=BatchJobManagerTask jobPreparationTask=BatchJobPreparationTask
    jobReleaseTask=BatchJobReleaseTask commonEnvironmentSettings=EnvironmentSetting
    poolInfo=BatchPoolInfo metadata=BatchMetadataItem
BatchJobScheduleExecutionInfo: nextRunTime recentJob=RecentBatchJob endTime
RecentBatchJob: id url
BatchJobScheduleStatistics: url startTime lastUpdateTime userCPUTime kernelCPUTime wallClockTime
    readIOps writeIOps readIOGiB writeIOGiB numSucceededTasks numFailedTasks numTaskRetries
    waitTime
BatchNodeVMExtension: provisioningState vmExtension=VMExtension
    instanceView=VMExtensionInstanceView
VMExtensionInstanceView: name statuses=InstanceViewStatus subStatuses=InstanceViewStatus
InstanceViewStatus: code displayStatus level message time
BatchJobPreparationAndReleaseTaskStatus: poolId nodeId nodeUrl
    jobPreparationTaskExecutionInfo=BatchJobPreparationTaskExecutionInfo
    jobReleaseTaskExecutionInfo=BatchJobReleaseTaskExecutionInfo
BatchJobPreparationTaskExecutionInfo: startTime endTime state taskRootDirectory
    taskRootDirectoryUrl exitCode containerInfo=BatchTaskContainerExecutionInfo
    failureInfo=BatchTaskFailureInfo retryCount lastRetryTime result
BatchJobReleaseTaskExecutionInfo: startTime endTime state taskRootDirectory taskRootDirectoryUrl
    exitCode containerInfo=BatchTaskContainerExecutionInfo failureInfo=BatchTaskFailureInfo result
"""


def _read(table: str) -> dict[str, Properties]:
    """Return the properties of every object of a table, one inside the other."""
    entries = dict(entry.strip().split(": ") for entry in re.split(r"\n(?=\w)", table.strip()))
    objects: dict[str, dict[str, Properties]] = {name: {} for name in entries}
    for name, properties in entries.items():
        for text in properties.split():
            plain, _, inside = text.partition("=")
            objects[name][plain] = objects[inside] if inside else {}
    return dict(objects)


_NAMED: Final = _read(_OBJECTS)
PROPERTIES: Final[dict[str, Properties]] = {
    "pools": _NAMED["BatchPool"],
    "nodes": _NAMED["BatchNode"],
    "jobs": _NAMED["BatchJob"],
    "tasks": _NAMED["BatchTask"],
    "jobschedules": _NAMED["BatchJobSchedule"],
    "jobpreparationandreleasetaskstatuslist": _NAMED["BatchJobPreparationAndReleaseTaskStatus"],
    "extensions": _NAMED["BatchNodeVMExtension"],
}
"""The properties by the names of the collections."""
