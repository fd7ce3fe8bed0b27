using System.Text.Json.Nodes;
using Crust.Tests.Boards;
using Crust.Tools;

namespace Crust.Tests.Layers;

/// <summary>What makes a machine a k3s node on its first boot, in a folder that stands for its root.</summary>
[CancelAfter(60_000)]
public sealed class K3sNodeTests
{
    private const string UserData = "run/cloud-init/combined-cloud-config.json";
    private const string Config = "etc/rancher/k3s/config.yaml";
    private const string Manifests = "var/lib/rancher/k3s/server/manifests";

    private ScriptSandbox _node = null!;

    [SetUp]
    public void SetUp()
    {
        _node = new ScriptSandbox();
        _node.Write("etc/hostname", "edge-1\n");
        _node.Program("stubs/systemctl");
        _node.Program("usr/local/bin/flux", "echo 'kind: CustomResourceDefinition'");
    }

    [TearDown]
    public void TearDown() => _node.Dispose();

    [Test]
    public async Task The_first_server_is_enabled_and_started_with_a_kube_config_for_a_group()
    {
        _node.Write(UserData, """{ "k3s": { "role": "cluster", "config": { "disable": ["traefik"] } }, "hostname": "edge-1" }""");

        var told = await RunAsync();

        Assert.That(told.ExitCode, Is.Zero, told.Error);
        Assert.That(_node.Calls, Is.EqualTo(new[] { "systemctl enable k3s.service", "systemctl start --no-block k3s.service" }));
        var config = JsonNode.Parse(_node.Read(Config))!;
        Assert.That(config.ToJsonString(), Is.EqualTo("""{"cluster-init":true,"disable":["traefik"],"write-kubeconfig-group":"kubeconfig","write-kubeconfig-mode":"0640"}"""));
        Assert.That(File.GetUnixFileMode(_node.PathOf(Config)), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite));
        Assert.That(_node.Read("var/lib/crust/k3s.done"), Does.StartWith("cluster "));
    }

    [Test]
    public async Task An_agent_joins_with_what_the_image_says_and_the_token_of_its_own_user_data()
    {
        _node.Write("etc/crust/k3s.json", """{ "k3s": { "role": "agent", "url": "https://10.0.0.10:6443", "config": { "node-label": "a=b", "debug": "true" } } }""");
        _node.Write(UserData, """{ "k3s": { "token": "K10secret", "config": { "node-label": "c=d" } } }""");

        var told = await RunAsync();

        Assert.That(_node.Calls, Is.EqualTo(new[] { "systemctl enable k3s-agent.service", "systemctl start --no-block k3s-agent.service" }));
        Assert.That(JsonNode.Parse(_node.Read(Config))!.ToJsonString(), Is.EqualTo("""{"debug":"true","node-label":"c=d","server":"https://10.0.0.10:6443","token":"K10secret"}"""));
        Assert.That(told.Error + told.Output + _node.Read("var/lib/crust/k3s.done"), Does.Not.Contain("K10secret"));
    }

    [Test]
    public async Task Flux_is_put_where_k3s_applies_it_without_a_network()
    {
        _node.Write("etc/crust/k3s.json", """{ "k3s": { "role": "cluster" }, "flux": { "repository": "https://git.example.org/fleet.git", "path": "./edge" } }""");

        await RunAsync();

        Assert.That(_node.Calls.First(), Is.EqualTo("flux install --export"));
        Assert.That(_node.Read($"{Manifests}/crust-flux.yaml"), Is.EqualTo("kind: CustomResourceDefinition\n"));
        var documents = _node.Read($"{Manifests}/crust-flux-sync.yaml").Split("---\n", StringSplitOptions.RemoveEmptyEntries).Select(text => JsonNode.Parse(text)!).ToList();
        Assert.That(documents.Select(document => (string)document["kind"]!), Is.EqualTo(new[] { "GitRepository", "Kustomization" }));
        Assert.That(((string)documents[0]["spec"]!["ref"]!["branch"]!, (string)documents[1]["spec"]!["path"]!), Is.EqualTo(("main", "./edge")));
    }

    [Test]
    public async Task Nothing_is_started_where_nobody_says_a_role()
    {
        _node.Write("etc/crust/k3s.json", """{ "k3s": {} }""");
        _node.Write(UserData, "{}");

        var told = await RunAsync();

        Assert.That((told.ExitCode, _node.Has(Config), _node.Has("var/lib/crust/k3s.done")), Is.EqualTo((0, false, false)));
        Assert.That(_node.Calls, Is.Empty);
    }

    [TestCase("""{ "k3s": { "role": "master" } }""", "k3s.role is 'master'")]
    [TestCase("""{ "k3s": { "role": "agent", "token": "x" } }""", "set k3s.url to its address")]
    [TestCase("""{ "k3s": { "role": "server", "url": "https://a:6443" } }""", "role server needs k3s.token")]
    [TestCase("""{ "k3s": { "role": "cluster", "url": "https://a:6443" } }""", "leave it out, or set role to server")]
    [TestCase("""{ "k3s": { "rol": "agent" } }""", "'k3s' has no key 'rol'")]
    [TestCase("""{ "k3s": "agent" }""", "'k3s' has to be a mapping")]
    [TestCase("""{ "k3s": { "token": "x" } }""", "without a role")]
    [TestCase("""{ "k3s": { "role": "cluster", "config": "x" } }""", "'k3s.config' has to be a mapping")]
    [TestCase("""{ "k3s": { "role": "cluster" }, "flux": { "branch": "main" } }""", "flux.repository has to be")]
    [TestCase("""{ "k3s": { "role": "agent", "url": "https://a:6443", "tokenFile": "/boot/firmware/none" } }""", "k3s.tokenFile can't be read")]
    public async Task A_mistake_stands_where_an_operator_looks_and_nothing_is_written(string userData, string what)
    {
        _node.Write(UserData, userData);

        var told = await RunAsync();

        Assert.That(told.ExitCode, Is.EqualTo(1));
        Assert.That(told.Error, Does.Contain(what));
        Assert.That(_node.Read("run/issue.d/90-crust-k3s.issue"), Does.Contain(what));
        Assert.That((_node.Has(Config), _node.Has("var/lib/crust/k3s.done")), Is.EqualTo((false, false)));
        Assert.That(_node.Calls.Where(call => call.StartsWith("systemctl", StringComparison.Ordinal)), Is.Empty);
    }

    [Test]
    public async Task A_name_that_others_have_too_joins_nothing()
    {
        _node.Write("etc/hostname", "raspberrypi\n");
        _node.Write(UserData, """{ "k3s": { "role": "agent", "url": "https://a:6443", "token": "x" } }""");

        Assert.That((await RunAsync()).Error, Does.Contain("this machine is called 'raspberrypi'"));
    }

    [Test]
    public async Task What_was_put_right_takes_the_complaint_away()
    {
        _node.Write(UserData, """{ "k3s": { "role": "cluster", "url": "https://a:6443" } }""");
        await RunAsync();
        _node.Write(UserData, """{ "k3s": { "role": "cluster" } }""");

        await RunAsync();

        Assert.That((_node.Has("run/issue.d/90-crust-k3s.issue"), _node.Has("run/crust-k3s.problem"), _node.Has(Config)), Is.EqualTo((false, false, true)));
    }

    [Test]
    public async Task People_join_the_group_once_and_services_never()
    {
        _node.Write("etc/passwd", "root:x:0:0::/root:/bin/bash\nedge:x:1000:1000::/home/edge:/bin/bash\nother:x:1001:1001::/home/other:/bin/sh\nd:x:1002:1002::/:/usr/sbin/nologin\nnobody:x:65534:65534::/:/bin/sh\n");
        _node.Program("stubs/getent", "echo kubeconfig:x:990:edge");
        _node.Program("stubs/usermod");
        _node.Program("stubs/groupadd");

        var told = await _node.RunAsync("dash", "k3s/kubeconfig-users", []);

        Assert.That(told.ExitCode, Is.Zero, told.Error);
        Assert.That(_node.Calls.Where(call => !call.StartsWith("getent", StringComparison.Ordinal)), Is.EqualTo(new[] { "usermod -a -G kubeconfig other" }));
    }

    private Task<ToolResult> RunAsync() => _node.RunAsync("python3", "k3s/k3s-node", []);
}
