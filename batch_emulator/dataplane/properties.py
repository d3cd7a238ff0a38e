"""The properties of each kind of resource, for ``$select``: a name that is none is refused."""

from typing import Final


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


PROPERTIES: Final = {
    "pools": _names(
        """
        id displayName url eTag lastModified creationTime state stateTransitionTime
        allocationState allocationStateTransitionTime vmSize virtualMachineConfiguration
        resizeTimeout resizeErrors currentDedicatedNodes currentLowPriorityNodes
        targetDedicatedNodes targetLowPriorityNodes enableAutoScale autoScaleFormula
        autoScaleEvaluationInterval autoScaleRun enableInterNodeCommunication
        networkConfiguration startTask applicationPackageReferences taskSlotsPerNode
        taskSchedulingPolicy userAccounts metadata stats mountConfiguration identity
        upgradePolicy
        """
    ),
    "nodes": _names(
        """
        id url state schedulingState stateTransitionTime lastBootTime allocationTime
        ipAddress ipv6Address affinityId vmSize totalTasksRun runningTasksCount
        runningTaskSlotsCount totalTasksSucceeded recentTasks startTask startTaskInfo errors
        isDedicated endpointConfiguration nodeAgentInfo virtualMachineInfo
        """
    ),
    "jobs": _names(
        """
        id displayName usesTaskDependencies url eTag lastModified creationTime state
        stateTransitionTime previousState previousStateTransitionTime priority
        allowTaskPreemption maxParallelTasks constraints jobManagerTask jobPreparationTask
        jobReleaseTask commonEnvironmentSettings poolInfo onAllTasksComplete onTaskFailure
        networkConfiguration metadata executionInfo stats
        """
    ),
    "tasks": _names(
        """
        id displayName url eTag lastModified creationTime exitConditions state
        stateTransitionTime previousState previousStateTransitionTime commandLine
        containerSettings resourceFiles outputFiles environmentSettings affinityInfo
        constraints requiredSlots userIdentity executionInfo nodeInfo multiInstanceSettings
        stats dependsOn applicationPackageReferences
        """
    ),
}
