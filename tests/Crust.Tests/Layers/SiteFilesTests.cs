using System.Collections.Immutable;
using System.Text;
using Crust.Layers;
using Crust.Spec;
using Crust.Tests.Media;
using Crust.Trees;

namespace Crust.Tests.Layers;

public sealed class SiteFilesTests
{
    private static readonly SiteSpec Proxies = new() { HttpsProxy = "http://proxy.example.org:3128", NoProxy = "localhost,10.0.0.0/8" };

    private string _folder = null!;

    [SetUp]
    public void SetUp() => _folder = Directory.CreateTempSubdirectory("crust-site-").FullName;

    [TearDown]
    public void TearDown() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void Proxies_are_where_sessions_services_and_apt_look_and_other_variables_stay()
    {
        var system = FileTree.Empty.With(LiveSample.File("etc/environment", "LANG=C\nexport https_proxy=http://old\n"), TreeEntry.Folder("etc/apt/apt.conf.d"));

        var files = SiteFiles.Of(Proxies, system);

        Assert.That(Text(files, "etc/environment"), Is.EqualTo("LANG=C\nHTTPS_PROXY=http://proxy.example.org:3128\nNO_PROXY=localhost,10.0.0.0/8\n"
            + "https_proxy=http://proxy.example.org:3128\nno_proxy=localhost,10.0.0.0/8\n"));
        Assert.That(Text(files, "etc/systemd/system.conf.d/50-site-proxy.conf"), Does.StartWith("[Manager]\nDefaultEnvironment=\"HTTPS_PROXY=http://proxy.example.org:3128\" "));
        Assert.That(Text(files, "etc/apt/apt.conf.d/50site-proxy"), Is.EqualTo("Acquire::https::Proxy \"http://proxy.example.org:3128\";\n"));
        Assert.That(SiteFiles.Of(Proxies, FileTree.Empty).Find("etc/apt/apt.conf.d/50site-proxy"), Is.Null);
        Assert.That(SiteFiles.Of(new SiteSpec(), system).Count, Is.Zero);
    }

    [Test]
    public void Commands_have_the_proxies_unless_they_say_others()
    {
        RootStep[] steps = [new RootStep.Command(["env"], "/", null, ImmutableSortedDictionary<string, string>.Empty.Add("https_proxy", "")) { Where = "Dockerfile:2", Shown = "env" }];

        Assert.That(((RootStep.Command)SiteFiles.WithProxies(steps, Proxies)[0]).Environment.Select(pair => $"{pair.Key}={pair.Value}"),
            Is.EqualTo(new[] { "HTTPS_PROXY=http://proxy.example.org:3128", "NO_PROXY=localhost,10.0.0.0/8", "https_proxy=", "no_proxy=localhost,10.0.0.0/8" }));
    }

    [Test]
    public void Mirrors_are_where_containerd_and_k3s_look()
    {
        var site = new SiteSpec { Mirrors = SiteTypes.MirrorsOf(["docker.io=https://mirror.example.org/hub"], "site") };

        var files = SiteFiles.Of(site, FileTree.Empty);

        Assert.That(Text(files, "etc/containerd/certs.d/docker.io/hosts.toml"),
            Is.EqualTo("server = \"https://registry-1.docker.io\"\n\n[host.\"https://mirror.example.org/hub\"]\n  capabilities = [\"pull\", \"resolve\"]\n"));
        Assert.That(Text(files, "etc/rancher/k3s/registries.yaml"), Is.EqualTo("mirrors:\n  \"docker.io\":\n    endpoint:\n      - \"https://mirror.example.org/hub\"\n"));
        Assert.That(() => SiteFiles.Of(site, files), Throws.TypeOf<CrustException>().With.Message.Contains("/etc/rancher/k3s/registries.yaml of its own"));
    }

    [TestCase("usr/sbin/update-ca-certificates", "", "usr/local/share/ca-certificates")]
    [TestCase("usr/sbin/update-ca-certificates", "etc/pki/trust/anchors", "etc/pki/trust/anchors")]
    [TestCase("usr/bin/update-ca-trust", "etc/pki/ca-trust/source/anchors", "etc/pki/ca-trust/source/anchors")]
    public void Certificates_are_put_where_the_systems_own_program_takes_them_from(string program, string there, string folder)
    {
        var system = FileTree.Empty.With(LiveSample.File(program, "")).With(there.Length > 0 ? [TreeEntry.Folder(there)] : []);
        var (one, other) = (SiteCertificate.New(), SiteCertificate.New());

        var steps = SiteFiles.TrustOf(new SiteSpec { Certificates = [Write("a site.pem", one + other)] }, system);

        var files = ((RootStep.Files)steps[0]).Tree;
        Assert.That((Text(files, $"{folder}/a-site-1.crt"), Text(files, $"{folder}/a-site-2.crt")), Is.EqualTo((one, other)));
        Assert.That(((RootStep.Command)steps[1]).Arguments, Is.EqualTo(new[] { $"/{program}" }));
    }

    [Test]
    public void What_has_no_certificate_and_a_system_that_would_trust_none_are_refused()
    {
        var system = FileTree.Empty.With(LiveSample.File("usr/sbin/update-ca-certificates", ""));

        Assert.That(() => SiteFiles.TrustOf(new SiteSpec { Certificates = [Write("key.pem", "-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n")] }, system),
            Throws.TypeOf<CrustException>().With.Property("What").EqualTo("There is no certificate in this file"));
        Assert.That(() => SiteFiles.TrustOf(new SiteSpec { Certificates = [Write("ca.pem", SiteCertificate.New())] }, FileTree.Empty),
            Throws.TypeOf<CrustException>().With.Property("What").Contains("neither update-ca-certificates nor update-ca-trust"));
    }

    [TestCase("http://user:secret@proxy.example.org:3128", "with a login")]
    [TestCase("proxy.example.org", "no proxy's URL")]
    [TestCase("http://proxy.example.org/$(x)", "no proxy's URL")]
    public void A_proxy_that_no_system_may_have_is_refused_without_being_shown(string url, string what) =>
        Assert.That(() => SiteTypes.ProxyOf(url, "installer.yaml:3"), Throws.TypeOf<CrustException>().With.Message.Contains(what).And.Message.Not.Contains("secret"));

    [Test]
    public void Mirrors_that_are_not_written_so_or_stand_twice_are_refused()
    {
        Assert.That(() => SiteTypes.MirrorsOf(["docker.io"], "site"), Throws.TypeOf<CrustException>().With.Message.Contains("is no mirror of a registry"));
        Assert.That(() => SiteTypes.MirrorsOf(["a.example=http://m", "a.example=http://n"], "site"), Throws.TypeOf<CrustException>().With.Message.Contains("two mirrors"));
    }

    private string Write(string name, string text)
    {
        var path = Path.Combine(_folder, name);
        File.WriteAllText(path, text);
        return path;
    }

    private static string Text(FileTree tree, string path) => Encoding.UTF8.GetString(tree.Find(path)!.Content.Read(0, 10_000));
}
