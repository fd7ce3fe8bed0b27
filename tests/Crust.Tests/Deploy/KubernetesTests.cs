using Crust.Formats;
using Crust.Spec;
using Crust.Tools;
using YamlDotNet.RepresentationModel;

namespace Crust.Tests.Deploy;

/// <summary>The Job as kubectl renders it, base and overlays.</summary>
[CancelAfter(60_000)]
public sealed class KubernetesTests
{
    private static readonly string[] Pods = [.. DeployFiles.Kustomizations.Where(folder => folder.StartsWith("kubernetes", StringComparison.Ordinal))];

    // Those that build images.
    private static readonly string[] Jobs = [.. Pods.Where(folder => folder is not (DeployFiles.Bakery or DeployFiles.Fleet))];

    private static readonly string[] PodsWithNetwork = [.. Pods.Where(folder => folder is not DeployFiles.Fleet)];

    // Pod Security Standards, "restricted": Volume Types.
    private static readonly string[] VolumeTypes = ["configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"];

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    // Each rule of the Pod Security Standards' profiles "baseline" and "restricted" for Linux, by its name there.
    [TestCaseSource(nameof(Pods))]
    public async Task The_pod_satisfies_the_restricted_Pod_Security_Standard(string folder)
    {
        var job = DeployFiles.Objects(await DeployFiles.RenderAsync(folder, Cancellation)).Object("Job");
        var template = job.At("spec", "template")!;
        var pod = template.At("spec")!;
        YamlNode[] containers = [.. pod.Items("containers"), .. pod.Items("initContainers"), .. pod.Items("ephemeralContainers")];
        YamlNode[] contexts = [.. new[] { pod.At("securityContext") }.Concat(containers.Select(container => container.At("securityContext"))).OfType<YamlNode>()];

        Assert.That(containers, Has.Length.EqualTo(folder is DeployFiles.Fleet ? 1 : 3));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(contexts.Select(context => context.At("windowsOptions")), Is.All.Null, "HostProcess");
            Assert.That(new[] { "hostNetwork", "hostPID", "hostIPC" }.Select(key => pod.At(key)), Is.All.Null, "Host Namespaces");
            Assert.That(contexts.Select(context => context.At("privileged")), Is.All.Null, "Privileged Containers");
            Assert.That(containers.SelectMany(container => container.Items("ports")).Select(port => port.At("hostPort")), Is.All.Null, "Host Ports");
            Assert.That(contexts.Select(context => context.At("appArmorProfile")), Is.All.Null, "AppArmor");
            Assert.That(template.Keys("metadata", "annotations"), Is.Empty, "AppArmor and Seccomp by annotations");
            Assert.That(contexts.Select(context => context.At("seLinuxOptions")), Is.All.Null, "SELinux");
            Assert.That(contexts.Select(context => context.At("procMount")), Is.All.Null, "/proc Mount Type");
            Assert.That(pod.At("securityContext", "sysctls"), Is.Null, "Sysctls");
            Assert.That(containers.SelectMany(container => new[] { container.At("livenessProbe"), container.At("readinessProbe"), container.At("startupProbe"), container.At("lifecycle") }), Is.All.Null, "Host Probes / Lifecycle Hooks");
            Assert.That(pod.Items("volumes").SelectMany(volume => volume.Keys().Except(["name"])).Distinct(), Is.SubsetOf(VolumeTypes), "Volume Types, HostPath Volumes");
            Assert.That(containers.Select(container => container.Text("securityContext", "allowPrivilegeEscalation")), Is.All.EqualTo("false"), "Privilege Escalation");
            Assert.That(pod.Text("securityContext", "runAsNonRoot"), Is.EqualTo("true"), "Running as Non-root");
            Assert.That(contexts.Select(context => context.Text("runAsUser")), Has.None.EqualTo("0"), "Running as Non-root user");
            Assert.That(containers.Select(container => container.At("securityContext", "runAsNonRoot")), Is.All.Null, "Running as Non-root: no container of its own mind");
            Assert.That(pod.Text("securityContext", "seccompProfile", "type"), Is.EqualTo("RuntimeDefault"), "Seccomp");
            Assert.That(containers.Select(container => container.At("securityContext", "seccompProfile")), Is.All.Null, "Seccomp: no container of its own mind");
            Assert.That(containers.Select(container => string.Join(' ', container.Items("securityContext", "capabilities", "drop"))), Is.All.EqualTo("ALL"), "Capabilities");
            Assert.That(containers.SelectMany(container => container.Items("securityContext", "capabilities", "add")), Is.Empty, "Capabilities");
        }

        // What that standard doesn't ask for, and we do.
        Assert.That(pod.Text("automountServiceAccountToken"), Is.EqualTo("false"));
        Assert.That(containers.Select(container => container.Text("securityContext", "readOnlyRootFilesystem")), Is.All.EqualTo("true"));
    }

    [TestCaseSource(nameof(Jobs))]
    public async Task The_Job_is_whole(string folder)
    {
        var objects = DeployFiles.Objects(await DeployFiles.RenderAsync(folder, Cancellation));
        var job = objects.Object("Job");
        var pod = job.At("spec", "template", "spec")!;
        YamlNode[] steps = [.. pod.Items("initContainers"), .. pod.Items("containers")];
        var mounts = steps[2].Items("volumeMounts").ToDictionary(one => one.Text("mountPath")!, one => pod.Items("volumes").Single(volume => volume.Text("name") == one.Text("name")));

        Assert.That(steps.Select(step => step.Text("name")), Is.EqualTo(new[] { "fetch", "build", "publish" }), "init containers run in their order, and before the others");
        Assert.That(steps.Select(step => step.Text("command", 2)), Is.EqualTo(new[] { "fetch", "build", "publish" }));
        Assert.That(VariablesOf(steps[0])["SHARDS"], Is.EqualTo(job.Text("spec", "completions")), "a shard more is one that no pod builds");
        Assert.That(VariablesOf(steps[0]).Where(one => one.Key != "SHARDS"), Is.EquivalentTo(VariablesOf(steps[2])), "what is planned, fetched and published is in the same registry");
        Assert.That(VariablesOf(steps[1]).Keys, Is.EqualTo(new[] { "BUILD_OPTIONS" }));
        Assert.That(steps[1].Items("volumeMounts").Select(mount => mount.Text("name")), Has.None.EqualTo("registry"), "what runs a stranger's installer has no login");
        Assert.That(job.Text("spec", "completionMode"), Is.EqualTo("Indexed"));
        Assert.That(pod.Text("restartPolicy"), Is.EqualTo("Never"), "podFailurePolicy asks for it");
        foreach (var folderToWrite in new[] { "/work", "/cache", "/images", "/tmp" })
        {
            Assert.That(mounts[folderToWrite].At("emptyDir"), Is.Not.Null, folderToWrite);
        }

        Assert.That(mounts["/auth"].Text("secret", "items", 0, "path"), Is.EqualTo(Path.GetFileName(VariablesOf(steps[2])["REGISTRY_AUTH_FILE"])));
        var rendered = objects.Where(one => one.Text("kind") == "ConfigMap").Select(one => one.Text("metadata", "name")!).ToList();
        var wanted = pod.Items("volumes").Select(volume => volume.At("configMap")).OfType<YamlNode>().ToList();
        Assert.That(rendered, Is.SubsetOf(wanted.Select(map => map.Text("name"))), "with their hashes");
        Assert.That(wanted.Where(map => map.Text("optional") != "true").Select(map => map.Text("name")), Is.SubsetOf(rendered));
        Assert.That(objects.Select(one => one.Text("kind")), Does.Not.Contain("Secret"));
        Assert.That(objects.Object("NetworkPolicy").Pairs("spec", "podSelector", "matchLabels"), Is.SubsetOf(job.Pairs("spec", "template", "metadata", "labels")));
        // Without these, a change of the specs would be an error of the cluster: the pod template is immutable.
        Assert.That(job.Pairs("metadata", "annotations"), Is.EqualTo(new Dictionary<string, string>
        {
            ["kustomize.toolkit.fluxcd.io/force"] = "enabled",
            ["argocd.argoproj.io/sync-options"] = "Force=true,Replace=true",
        }));
    }

    [TestCase("kubernetes/base", "1", "--accel kvm")]
    [TestCase("kubernetes/overlays/example", "1", "--accel kvm")]
    [TestCase("kubernetes/overlays/without-kvm", null, "--accel tcg --deadline 6h")]
    public async Task KVM_comes_from_a_device_plugin_or_is_not_asked_for(string folder, string? devices, string options)
    {
        var builder = DeployFiles.Objects(await DeployFiles.RenderAsync(folder, Cancellation)).Object("Job").At("spec", "template", "spec", "initContainers", 1)!;

        Assert.That(builder.Text("resources", "limits", "devices.kubevirt.io/kvm"), Is.EqualTo(devices));
        Assert.That(builder.Items("env").Single(one => one.Text("name") == "BUILD_OPTIONS").Text("value"), Is.EqualTo(options));
    }

    // A guest's packets leave the host as the pod's.
    [TestCaseSource(nameof(PodsWithNetwork))]
    public async Task A_pod_reaches_names_and_web_servers_but_no_node_no_service_and_no_metadata(string folder)
    {
        var policy = DeployFiles.Objects(await DeployFiles.RenderAsync(folder, Cancellation)).Object("NetworkPolicy");
        var (names, web) = (policy.At("spec", "egress", 0)!, policy.At("spec", "egress", 1)!);

        Assert.That(policy.Items("spec", "egress").Count, Is.EqualTo(2));
        Assert.That(names.Items("ports").Select(port => port.Text("port")), Is.All.EqualTo("53"));
        Assert.That(names.Items("to"), Is.Not.Empty);
        Assert.That(web.Items("ports").Select(port => port.Text("port")), Is.EqualTo(new[] { "80", "443" }));
        Assert.That(web.Items("to").SelectMany(to => to.Items("ipBlock", "except")).Select(network => network.ToString()),
            Is.SupersetOf(new[] { "10.0.0.0/8", "100.64.0.0/10", "168.63.129.16/32", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "169.254.0.0/16", "fc00::/7", "fe80::/10" }));
    }

    [Test]
    public async Task The_pods_of_a_fleet_share_all_nodes_and_reach_nobody()
    {
        var objects = DeployFiles.Objects(await DeployFiles.RenderAsync(DeployFiles.Fleet, Cancellation));
        var job = objects.Object("Job");
        var pod = job.At("spec", "template", "spec")!;
        var container = pod.Items("containers").Single();
        var mounted = container.Items("volumeMounts").Select(mount => mount.Text("mountPath")).ToList();

        Assert.That(VariablesOf(container)["SHARDS"], Is.EqualTo(job.Text("spec", "completions")), "a shard more is one that no pod makes");
        Assert.That(job.Text("spec", "completionMode"), Is.EqualTo("Indexed"));
        Assert.That(mounted, Is.SupersetOf(new[] { "/fleet", "/gitops", "/secrets", "/deploy" }).And.SupersetOf(new[] { Path.GetDirectoryName(VariablesOf(container)["BASE"]) }));
        Assert.That(objects.Where(one => one.Text("kind") == "ConfigMap").Select(one => one.Text("metadata", "name")),
            Is.EquivalentTo(pod.Items("volumes").Select(volume => volume.Text("configMap", "name")).OfType<string>()), "with their hashes");
        var policy = objects.Object("NetworkPolicy");
        Assert.That(policy.Pairs("spec", "podSelector", "matchLabels"), Is.SubsetOf(job.Pairs("spec", "template", "metadata", "labels")));
        Assert.That((policy.Items("spec", "policyTypes").Count, policy.At("spec", "egress"), policy.At("spec", "ingress")), Is.EqualTo((2, (YamlNode?)null, (YamlNode?)null)));
    }

    [Test]
    public async Task Another_spec_is_another_pod_template()
    {
        using var copy = new DeployCopy();
        var before = await Name();
        await File.AppendAllTextAsync(Path.Combine(copy.Folder, "kubernetes/overlays/example/specs/shop.yaml"), "name: another\n", Cancellation);

        Assert.That(await Name(), Is.Not.EqualTo(before));

        async Task<string?> Name() => DeployFiles.Objects((await DeployFiles.Tools.RunAsync(
                ToolCommand.Of("kubectl", "kustomize", Path.Combine(copy.Folder, "kubernetes/overlays/example")), Cancellation)).Output)
            .Object("Job").Items("spec", "template", "spec", "volumes").Single(volume => volume.Text("name") == "specs").Text("configMap", "name");
    }

    [Test]
    public async Task The_specs_of_the_overlays_are_specs_whose_build_keys_a_plan_knows_without_a_download()
    {
        var overlay = DeployFiles.Objects(await DeployFiles.RenderAsync("kubernetes/overlays/example", Cancellation));
        using var gitops = new DeployCopy();
        foreach (var part in new[] { "specs", "files" })
        {
            Directory.CreateDirectory(Path.Combine(gitops.Folder, "gitops", part));
            foreach (var (name, text) in overlay.Object("ConfigMap", $"crust-{part}").Pairs("data"))
            {
                await File.WriteAllTextAsync(Path.Combine(gitops.Folder, "gitops", part, name), text, Cancellation);
            }
        }

        foreach (var file in Directory.GetFiles(Path.Combine(gitops.Folder, "gitops/specs")).Append(DeployFiles.PathOf("kubernetes/base/specs/edge.yaml")))
        {
            var spec = new SpecReader(ImageFormats.ForSpec).Read(new SpecSources { File = file, CurrentFolder = gitops.Folder });

            Assert.That(spec.Installer.Sha256, Is.Not.Null, file);
            Assert.That(spec.Seed.Profile, Is.Not.Null, file);
            Assert.That(spec.Seed.UserData, Is.All.Matches<string>(File.Exists), file);
        }
    }

    private static Dictionary<string, string?> VariablesOf(YamlNode container) => container.Items("env").ToDictionary(one => one.Text("name")!, one => one.Text("value"));

    /// <summary>A copy of `deploy/` that a test may change.</summary>
    private sealed class DeployCopy : IDisposable
    {
        public DeployCopy()
        {
            foreach (var file in Directory.EnumerateFiles(DeployFiles.PathOf(""), "*", SearchOption.AllDirectories))
            {
                var to = Path.Combine(Folder, Path.GetRelativePath(DeployFiles.PathOf(""), file));
                Directory.CreateDirectory(Path.GetDirectoryName(to)!);
                File.Copy(file, to);
            }
        }

        public string Folder { get; } = Directory.CreateTempSubdirectory("crust-deploy-").FullName;

        public void Dispose() => Directory.Delete(Folder, recursive: true);
    }
}
