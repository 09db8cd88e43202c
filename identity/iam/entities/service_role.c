/* Service-linked roles: predefined by the service, fixed in name, trust and policy. One row a
 * service: as AWS answered (recorded), or as its guides and managed policies name them. */
#include "core/id.h"
#include "identity/iam/iam.h"

static const struct linked_service {
    const char *name, *role, *policy; /* role and policy are the names after AWSServiceRoleFor…, aws-service-role/ */
    bool suffix;                      /* takes a CustomSuffix */
    const char *description;
} services[] = {
    { "access-analyzer.amazonaws.com", "AccessAnalyzer", "AccessAnalyzerServiceRolePolicy", false, NULL },
    { "accountdiscovery.ssm.amazonaws.com", "AmazonSSM_AccountDiscovery", "AWSSystemsManagerAccountDiscoveryServicePolicy", false, NULL },
    { "acm.amazonaws.com", "CertificateManager", "CertificateManagerServiceRolePolicy", false, NULL },
    { "agentless.inspector2.amazonaws.com", "AmazonInspector2Agentless", "AmazonInspector2AgentlessServiceRolePolicy", false, NULL },
    { "apidestinations.events.amazonaws.com", "AmazonEventBridgeApiDestinations", "AmazonEventBridgeApiDestinationsServiceRolePolicy", false, NULL },
    { "application-signals.cloudwatch.amazonaws.com", "CloudWatchApplicationSignals", "CloudWatchApplicationSignalsServiceRolePolicy", false, NULL },
    { "appmesh.amazonaws.com", "AppMesh", "AWSAppMeshServiceRolePolicy", false, NULL },
    { "apprunner.amazonaws.com", "AppRunner", "AppRunnerServiceRolePolicy", false, NULL },
    { "appsync.amazonaws.com", "AppSync", "AWSAppSyncServiceRolePolicy", false, NULL },
    { "autoscaling-plans.amazonaws.com", "AutoScalingPlans_EC2AutoScaling", "AWSAutoScalingPlansEC2AutoScalingPolicy", false, NULL },
    { "autoscaling.amazonaws.com", "AutoScaling", "AutoScalingServiceRolePolicy", true, NULL },
    { "backup.amazonaws.com", "Backup", "AWSBackupServiceLinkedRolePolicyForBackup", false, NULL },
    { "batch.amazonaws.com", "Batch", "BatchServiceRolePolicy", false, NULL },
    { "cassandra.application-autoscaling.amazonaws.com", "ApplicationAutoScaling_CassandraTable", "AWSApplicationAutoscalingCassandraTablePolicy", false, NULL },
    { "cks.kms.amazonaws.com", "KeyManagementServiceCustomKeyStores", "AWSKeyManagementServiceCustomKeyStoresServiceRolePolicy", false, NULL },
    { "cloud9.amazonaws.com", "AWSCloud9", "AWSCloud9ServiceRolePolicy", false, NULL },
    { "cloudtrail.amazonaws.com", "CloudTrail", "CloudTrailServiceRolePolicy", false, NULL },
    { "cloudwatch-crossaccount.amazonaws.com", "CloudWatchCrossAccount", "CloudWatch-CrossAccountAccess", false, NULL },
    { "codestar-notifications.amazonaws.com", "CodeStarNotifications", "AWSCodeStarNotificationsServiceRolePolicy", false, NULL },
    { "cognito-idp.amazonaws.com", "AmazonCognitoIdp", "AmazonCognitoIdpServiceRolePolicy", false, NULL },
    { "compute-optimizer.amazonaws.com", "ComputeOptimizer", "ComputeOptimizerServiceRolePolicy", false, NULL },
    { "config-multiaccountsetup.amazonaws.com", "ConfigMultiAccountSetup", "AWSConfigMultiAccountSetupPolicy", false, NULL },
    { "config.amazonaws.com", "Config", "AWSConfigServiceRolePolicy", false, NULL },
    { "connect.amazonaws.com", "AmazonConnect", "AmazonConnectServiceLinkedRolePolicy", true, NULL },
    { "contributorinsights.dynamodb.amazonaws.com", "DynamoDBCloudWatchContributorInsights", "DynamoDBCloudWatchContributorInsightsServiceRolePolicy", false, NULL },
    { "cost-optimization-hub.bcm.amazonaws.com", "CostOptimizationHub", "CostOptimizationHubServiceRolePolicy", false, NULL },
    { "custom-resource.application-autoscaling.amazonaws.com", "ApplicationAutoScaling_CustomResource", "AWSApplicationAutoScalingCustomResourcePolicy", false, NULL },
    { "datasync.amazonaws.com", "DataSync", "AWSDataSyncServiceRolePolicy", false, NULL },
    { "dax.amazonaws.com", "DAX", "DAXServiceRolePolicy", false, NULL },
    { "delivery.logs.amazonaws.com", "LogDelivery", "AWSServiceRoleForLogDeliveryPolicy", false, NULL },
    { "dms-fleet-advisor.amazonaws.com", "DMSFleetAdvisor", "AWSDMSFleetAdvisorServiceRolePolicy", false, NULL },
    { "dms.amazonaws.com", "DMSServerless", "AWSDMSServerlessServiceRolePolicy", false, NULL },
    { "docdb-elastic.amazonaws.com", "DocDB-Elastic", "AmazonDocDB-ElasticServiceRolePolicy", false, NULL },
    { "dynamodb.application-autoscaling.amazonaws.com", "ApplicationAutoScaling_DynamoDBTable", "AWSApplicationAutoscalingDynamoDBTablePolicy", false, NULL },
    { "ec2-instance-connect.amazonaws.com", "Ec2InstanceConnect", "Ec2InstanceConnectEndpoint", false, NULL },
    { "ec2.application-autoscaling.amazonaws.com", "ApplicationAutoScaling_EC2SpotFleetRequest", "AWSApplicationAutoscalingEC2SpotFleetRequestPolicy", false, NULL },
    { "ec2fleet.amazonaws.com", "EC2Fleet", "AWSEC2FleetServiceRolePolicy", false, NULL },
    { "ecr.amazonaws.com", "ECRTemplate", "ECRTemplateServiceRolePolicy", false, NULL },
    { "ecs.amazonaws.com", "ECS", "AmazonECSServiceRolePolicy", false, NULL },
    { "ecs.application-autoscaling.amazonaws.com", "ApplicationAutoScaling_ECSService", "AWSApplicationAutoscalingECSServicePolicy", false, NULL },
    { "eks-connector.amazonaws.com", "AmazonEKSConnector", "AmazonEKSConnectorServiceRolePolicy", false, NULL },
    { "eks-fargate.amazonaws.com", "AmazonEKSForFargate", "AmazonEKSForFargateServiceRolePolicy", false, NULL },
    { "eks-nodegroup.amazonaws.com", "AmazonEKSNodegroup", "AWSServiceRoleForAmazonEKSNodegroup", false, NULL },
    { "eks.amazonaws.com", "AmazonEKS", "AmazonEKSServiceRolePolicy", false, NULL },
    { "elasticache.amazonaws.com", "ElastiCache", "ElastiCacheServiceRolePolicy", false, NULL },
    { "elasticache.application-autoscaling.amazonaws.com", "ApplicationAutoScaling_ElastiCacheRG", "AWSApplicationAutoscalingElastiCacheRGPolicy", false, NULL },
    { "elasticbeanstalk.amazonaws.com", "ElasticBeanstalk", "AWSElasticBeanstalkServiceRolePolicy", false, NULL },
    { "elasticfilesystem.amazonaws.com", "AmazonElasticFileSystem", "AmazonElasticFileSystemServiceRolePolicy", false, NULL },
    { "elasticloadbalancing.amazonaws.com", "ElasticLoadBalancing", "AWSElasticLoadBalancingServiceRolePolicy", false, NULL },
    { "elasticmapreduce.amazonaws.com", "EMRCleanup", "AmazonEMRCleanupPolicy", false, NULL },
    { "email.cognito-idp.amazonaws.com", "AmazonCognitoIdpEmailService", "AmazonCognitoIdpEmailServiceRolePolicy", false, NULL },
    { "emr-containers.amazonaws.com", "AmazonEMRContainers", "AmazonEMRContainersServiceRolePolicy", false, NULL },
    { "emrwal.amazonaws.com", "EMRWAL", "EMRDescribeClusterPolicyForEMRWAL", false, NULL },
    { "es.amazonaws.com", "AmazonElasticsearchService", "AmazonElasticsearchServiceRolePolicy", false, NULL },
    { "events.amazonaws.com", "CloudWatchEvents", "CloudWatchEventsServiceRolePolicy", false, NULL },
    { "fis.amazonaws.com", "FIS", "AmazonFISServiceRolePolicy", false, NULL },
    { "fsx.amazonaws.com", "AmazonFSx", "AmazonFSxServiceRolePolicy", false, NULL },
    { "globalaccelerator.amazonaws.com", "GlobalAccelerator", "AWSGlobalAcceleratorSLRPolicy", false, NULL },
    { "grafana.amazonaws.com", "AmazonGrafana", "AmazonGrafanaServiceLinkedRolePolicy", false, NULL },
    { "guardduty.amazonaws.com", "AmazonGuardDuty", "AmazonGuardDutyServiceRolePolicy", false, NULL },
    { "imagebuilder.amazonaws.com", "ImageBuilder", "AWSServiceRoleForImageBuilder", false, NULL },
    { "inspector2.amazonaws.com", "AmazonInspector2", "AmazonInspector2ServiceRolePolicy", false, NULL },
    { "iotmanagedintegrations.amazonaws.com", "IoTManagedIntegrations", "AWSIoTManagedIntegrationsRolePolicy", false, NULL },
    { "kafka.amazonaws.com", "Kafka", "KafkaServiceRolePolicy", false, NULL },
    { "kafka.application-autoscaling.amazonaws.com", "ApplicationAutoScaling_KafkaCluster", "AWSApplicationAutoscalingKafkaClusterPolicy", false, NULL },
    { "kafkaconnect.amazonaws.com", "KafkaConnect", "KafkaConnectServiceRolePolicy", false, NULL },
    { "kinesisreplication.dynamodb.amazonaws.com", "DynamoDBKinesisDataStreamsReplication", "DynamoDBKinesisReplicationServiceRolePolicy", false, NULL },
    { "lakeformation.amazonaws.com", "LakeFormationDataAccess", "LakeFormationDataAccessServiceRolePolicy", false, NULL },
    { "lambda.amazonaws.com", "Lambda", "AWSLambdaServiceRolePolicy", false, NULL },
    { "lambda.application-autoscaling.amazonaws.com", "ApplicationAutoScaling_LambdaConcurrency", "AWSApplicationAutoscalingLambdaConcurrencyPolicy", false, NULL },
    { "lex.amazonaws.com", "LexBots", "AmazonLexBotPolicy", false, NULL },
    { "lexv2.amazonaws.com", "LexV2Bots", "AmazonLexV2BotPolicy", true, NULL },
    { "license-manager.amazonaws.com", "AWSLicenseManagerRole", "AWSLicenseManagerServiceRolePolicy", false, NULL },
    { "lightsail.amazonaws.com", "Lightsail", "LightsailExportAccess", false, NULL },
    { "logger.cloudfront.amazonaws.com", "CloudFrontLogger", "AWSCloudFrontLogger", false, NULL },
    { "m2.amazonaws.com", "AWSM2", "AWSM2ServicePolicy", false, NULL },
    { "macie.amazonaws.com", "AmazonMacie", "AmazonMacieServiceRolePolicy", false, NULL },
    { "malware-protection.guardduty.amazonaws.com", "AmazonGuardDutyMalwareProtection", "AmazonGuardDutyMalwareProtectionServiceRolePolicy", false, NULL },
    { "member.org.stacksets.cloudformation.amazonaws.com", "CloudFormationStackSetsOrgMember", "CloudFormationStackSetsOrgMemberServiceRolePolicy", false, NULL },
    { "memorydb.amazonaws.com", "MemoryDB", "MemoryDBServiceRolePolicy", false, NULL },
    { "mq.amazonaws.com", "AmazonMQ", "AmazonMQServiceRolePolicy", false, NULL },
    { "mrk.kms.amazonaws.com", "KeyManagementServiceMultiRegionKeys", "AWSKeyManagementServiceMultiRegionKeysServiceRolePolicy", false, NULL },
    { "neptune-graph.amazonaws.com", "NeptuneGraph", "AWSServiceRoleForNeptuneGraphPolicy", false, NULL },
    { "network-firewall.amazonaws.com", "NetworkFirewall", "AWSNetworkFirewallServiceRolePolicy", false, NULL },
    { "networking.apprunner.amazonaws.com", "AppRunnerNetworking", "AppRunnerNetworkingServiceRolePolicy", false, NULL },
    { "networkmanager.amazonaws.com", "NetworkManager", "AWSNetworkManagerServiceRolePolicy", false, NULL },
    { "notifications.amazonaws.com", "AwsUserNotifications", "AWSUserNotificationsServiceLinkedRolePolicy", false, NULL },
    { "observability.aoss.amazonaws.com", "AmazonOpenSearchServerless", "AmazonOpenSearchServerlessServiceRolePolicy", false, NULL },
    { "opensearchservice.amazonaws.com", "AmazonOpenSearchService", "AmazonOpenSearchServiceRolePolicy", false, NULL },
    { "ops.apigateway.amazonaws.com", "APIGateway", "APIGatewayServiceRolePolicy", false, NULL },
    { "ops.emr-serverless.amazonaws.com", "AmazonEMRServerless", "AmazonEMRServerlessServiceRolePolicy", false, NULL },
    { "opsdatasync.ssm.amazonaws.com", "SystemsManagerOpsDataSync", "AWSSystemsManagerOpsDataSyncServiceRolePolicy", false, NULL },
    { "opsinsights.ssm.amazonaws.com", "AmazonSSM_OpsInsights", "AWSSSMOpsInsightsServiceRolePolicy", false, NULL },
    { "organizations.amazonaws.com", "Organizations", "AWSOrganizationsServiceTrustPolicy", false, NULL },
    { "pullthroughcache.ecr.amazonaws.com", "ECRPullThroughCache", "AWSECRPullThroughCache_ServiceRolePolicy", false, NULL },
    { "ram.amazonaws.com", "ResourceAccessManager", "AWSResourceAccessManagerServiceRolePolicy", false, NULL },
    { "rds.amazonaws.com", "RDS", "AmazonRDSServiceRolePolicy", false, "Allows Amazon RDS to manage AWS resources on your behalf" },
    { "rds.application-autoscaling.amazonaws.com", "ApplicationAutoScaling_RDSCluster", "AWSApplicationAutoscalingRDSClusterPolicy", false, NULL },
    { "redshift.amazonaws.com", "Redshift", "AmazonRedshiftServiceLinkedRolePolicy", false, NULL },
    { "replication.cassandra.amazonaws.com", "KeyspacesReplication", "KeyspacesReplicationServiceRolePolicy", false, NULL },
    { "replication.dynamodb.amazonaws.com", "DynamoDBReplication", "DynamoDBReplicationServiceRolePolicy", false, NULL },
    { "replication.ecr.amazonaws.com", "ECRReplication", "ECRReplicationServiceRolePolicy", false, NULL },
    { "replicator.lambda.amazonaws.com", "LambdaReplicator", "AWSLambdaReplicator", false, NULL },
    { "repository.sync.codeconnections.amazonaws.com", "GitSync", "AWSGitSyncServiceRolePolicy", false, NULL },
    { "resource-explorer-2.amazonaws.com", "ResourceExplorer", "AWSResourceExplorerServiceRolePolicy", false, NULL },
    { "resource-groups.amazonaws.com", "ResourceGroups", "ResourceGroupsServiceRolePolicy", false, NULL },
    { "rolesanywhere.amazonaws.com", "RolesAnywhere", "AWSRolesAnywhereServicePolicy", false, NULL },
    { "route53resolver.amazonaws.com", "Route53Resolver", "Route53ResolverServiceRolePolicy", false, NULL },
    { "s3-outposts.amazonaws.com", "S3OnOutposts", "AWSS3OnOutpostsServiceRolePolicy", false, NULL },
    { "sagemaker.application-autoscaling.amazonaws.com", "ApplicationAutoScaling_SageMakerEndpoint", "AWSApplicationAutoscalingSageMakerEndpointPolicy", false, NULL },
    { "securityhub.amazonaws.com", "SecurityHub", "AWSSecurityHubServiceRolePolicy", false, NULL },
    { "servicecatalog.amazonaws.com", "ServiceCatalogSync", "AWSServiceCatalogSyncServiceRolePolicy", false, NULL },
    { "servicequotas.amazonaws.com", "ServiceQuotas", "ServiceQuotasServiceRolePolicy", false, NULL },
    { "ses.amazonaws.com", "AmazonSES", "AmazonSESServiceRolePolicy", false, NULL },
    { "shield.amazonaws.com", "AWSShield", "AWSShieldServiceRolePolicy", false, NULL },
    { "spot.amazonaws.com", "EC2Spot", "AWSEC2SpotServiceRolePolicy", false, NULL },
    { "spotfleet.amazonaws.com", "EC2SpotFleet", "AWSEC2SpotFleetServiceRolePolicy", false, NULL },
    { "ssm-incidents.amazonaws.com", "IncidentManager", "AWSIncidentManagerServiceRolePolicy", false, NULL },
    { "ssm-quicksetup.amazonaws.com", "SSMQuickSetup", "SSMQuickSetupRolePolicy", false, NULL },
    { "ssm.amazonaws.com", "AmazonSSM", "AmazonSSMServiceRolePolicy", false, "Provides access to AWS Resources managed or used by Amazon SSM." },
    { "sso.amazonaws.com", "SSO", "AWSSSOServiceRolePolicy", false, "Service-linked role used by AWS SSO to manage AWS resources, including IAM roles, policies and SAML IdP on your behalf." },
    { "stacksets.cloudformation.amazonaws.com", "CloudFormationStackSetsOrgAdmin", "CloudFormationStackSetsOrgAdminServiceRolePolicy", false, NULL },
    { "storage-lens.s3.amazonaws.com", "S3StorageLens", "S3StorageLensServiceRolePolicy", false, NULL },
    { "support.amazonaws.com", "Support", "AWSSupportServiceRolePolicy", false, NULL },
    { "transitgateway.amazonaws.com", "VPCTransitGateway", "AWSVPCTransitGatewayServiceRolePolicy", false, NULL },
    { "trustedadvisor.amazonaws.com", "TrustedAdvisor", "AWSTrustedAdvisorServiceRolePolicy", false, NULL },
    { "vpcorigin.cloudfront.amazonaws.com", "CloudFrontVPCOrigin", "AWSCloudFrontVPCOriginServiceRolePolicy", false, NULL },
    { "waf-regional.amazonaws.com", "WAFRegionalLogging", "WAFRegionalLoggingServiceRolePolicy", false, NULL },
    { "waf.amazonaws.com", "WAFLogging", "WAFLoggingServiceRolePolicy", false, NULL },
    { "wafv2.amazonaws.com", "WAFV2Logging", "WAFV2LoggingServiceRolePolicy", false, NULL },
};

static const struct linked_service *service_find(struct str name)
{
    for (size_t i = 0; i < COUNT(services); i++)
        if (str_is(name, services[i].name))
            return &services[i];
    return NULL;
}

static gh_err check(struct call *call, const struct iam_CreateServiceLinkedRole_in *in, const struct linked_service *service)
{
    if (!service)
        return gh_fail(call->arena, &iam_InvalidInputException, "Service name %.*s has no service-linked role.",
                       STR_FMT(in->aws_service_name));
    if (in->custom_suffix.ptr && !service->suffix)
        return gh_fail(call->arena, &iam_InvalidInputException, "Custom suffix is not allowed for %s", service->name);
    return NULL;
}

gh_err iam_CreateServiceLinkedRole(struct call *call, const struct iam_CreateServiceLinkedRole_in *in,
                                   struct iam_CreateServiceLinkedRole_out *out)
{
    const struct linked_service *service = service_find(in->aws_service_name);
    gh_err err = check(call, in, service);
    if (err)
        return err;
    struct str suffix = in->custom_suffix.ptr ? str_concat(call->arena, STR("_"), in->custom_suffix) : STR("");
    struct entity role = {
        .kind = ENTITY_ROLE,
        .name = str_printf(call->arena, "AWSServiceRoleFor%s%.*s", service->role, STR_FMT(suffix)),
        .path = str_printf(call->arena, "/aws-service-role/%s/", service->name),
        .description = in->description.ptr ? in->description : str_of(service->description),
        .service = str_of(service->name),
        .max_session_s = 3600,
        .trust = str_printf(call->arena,
                            "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":"
                            "{\"Service\":\"%s\"},\"Action\":\"sts:AssumeRole\"}]}",
                            service->name),
    };
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    bool taken = false;
    err = entity_taken(call->db, &tx, call->arena, call->account, ENTITY_ROLE, role.name, &taken);
    if (!err && taken)
        err = gh_fail(call->arena, &iam_InvalidInputException,
                      "Service role name %.*s has been taken in this account, please try a different suffix.",
                      STR_FMT(role.name));
    if (!err)
        err = iam_create(call, &tx, &role);
    if (!err)
        attached_add(&tx, role.id, "role", call->account,
                     str_printf(call->arena, "arn:aws:iam::aws:policy/aws-service-role/%s", service->policy));
    err = iam_finish(&tx, err);
    if (err)
        return err;
    principals_reload(iam_identity(call), call->arena, role.id);
    out->role = iam_role(call, &role, IAM_CREATED);
    return NULL;
}

/* On AWS the service is asked whether it still needs the role; no such service runs here, so the
 * deletion is done when the answer is given, and the task remembers it. */
gh_err iam_DeleteServiceLinkedRole(struct call *call, const struct iam_DeleteServiceLinkedRole_in *in,
                                   struct iam_DeleteServiceLinkedRole_out *out)
{
    struct entity role;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = iam_find(call, &tx, ENTITY_ROLE, in->role_name, &role);
    if (!err && !role.service.ptr)
        err = gh_fail(call->arena, &iam_InvalidInputException, "%.*s is not a service-linked role.",
                      STR_FMT(in->role_name));
    if (!err) {
        struct str uuid = id_uuid(call->env, call->arena);
        out->deletion_task_id = str_printf(call->arena, "task%.*s%.*s/%.*s", STR_FMT(role.path), STR_FMT(role.name),
                                           STR_FMT(uuid));
        entity_delete(&tx, role.id);
        account_put(&tx, call->account, out->deletion_task_id, STR("SUCCEEDED"));
    }
    err = iam_finish(&tx, err);
    if (!err)
        principals_reload(iam_identity(call), call->arena, role.id);
    return err;
}

gh_err iam_GetServiceLinkedRoleDeletionStatus(struct call *call,
                                              const struct iam_GetServiceLinkedRoleDeletionStatus_in *in,
                                              struct iam_GetServiceLinkedRoleDeletionStatus_out *out)
{
    gh_err err = account_get(call->db, call->arena, call->account, in->deletion_task_id, &out->status);
    if (!err && !out->status.ptr)
        err = gh_fail(call->arena, &iam_NoSuchEntityException, "Deletion task %.*s cannot be found.",
                      STR_FMT(in->deletion_task_id));
    return err;
}
