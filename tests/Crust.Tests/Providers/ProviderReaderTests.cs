using Crust.Providers;
using Crust.Spec;
using Crust.Tests.Spec;
using Crust.Tools;
using Serilog.Core;

namespace Crust.Tests.Providers;

public sealed class ProviderReaderTests
{
    private const string Validate = """
        import json, sys, yaml, jsonschema
        for error in jsonschema.Draft202012Validator(json.load(open(sys.argv[1]))).iter_errors(yaml.safe_load(open(sys.argv[2]))):
            print(error.message)
        """;

    private static readonly string Good = """
        version: 1
        base: docker://registry.example.com/kairos/ubuntu:22.04-core-{arch}
        archs: [amd64, arm64]
        kubernetes: { distribution: k3s, versions: ['v1.33.5', 1.34.1+k3s2], variant: server }
        peVersion: v4.10.0
        customTag: demo
        repository: registry.example.com/edge/ubuntu
        osVersion: 22.04
        layers:
          - files: overlay/etc
            into: /etc
          - file: edge.yaml
            to: /oem/.edge_custom_config.yaml
          - text: ''
            to: /etc/spectro-sysext/k8s-and-agent-provider-bundled
          - image: docker://registry.example.com/edge/framework-{arch}:v4.10.0
            take: [/etc/kairos/branding]
            into: /etc/kairos
          - recipe: crictl@1.36.0
        """;

    [Test]
    public void A_file_says_what_images_are_made_of_and_where_they_go()
    {
        var spec = ProviderReader.Parse(Good, "provider.yaml");

        Assert.That(spec.Kubernetes.Versions.Select(version => (version.Version, version.Upstream)), Is.EqualTo(new[] { ("1.33.5", "1.33.5+k3s1"), ("1.34.1", "1.34.1+k3s2") }));
        Assert.That((spec.Kubernetes.Recipe, spec.Kubernetes.Variant, spec.OsVersion), Is.EqualTo(("k3s", "server", "22.04")));
        Assert.That(spec.Layers.Select(layer => layer.Shown), Is.EqualTo(new[]
        {
            "files etc into /etc", "file /oem/.edge_custom_config.yaml", "text /etc/spectro-sysext/k8s-and-agent-provider-bundled", "image framework-{arch}", "recipe crictl@1.36.0",
        }));
        Assert.That(ProviderTarget.Of(spec).Select(target => target.Index.ToString()), Is.EqualTo(new[]
        {
            "registry.example.com/edge/ubuntu:k3s-1.33.5-v4.10.0-demo", "registry.example.com/edge/ubuntu:k3s-1.34.1-v4.10.0-demo",
        }));
    }

    [TestCase("distribution: k3s", "distribution: k4s", "'k4s' is no distribution of Kubernetes that is known")]
    [TestCase("distribution: k3s", "distribution: nodeadm", "Crust has no recipe of nodeadm")]
    [TestCase("'v1.33.5'", "latest", "'latest' is no version of Kubernetes")]
    [TestCase("customTag: demo", "customTag: a/b", "'a/b' can't be a tag")]
    [TestCase("archs: [amd64, arm64]", "archs: riscv64", "'riscv64' is no architecture")]
    [TestCase("base: docker://registry.example.com/", "base: docker://", "doesn't say in which registry")]
    [TestCase("to: /oem/", "to: oem/", "is no path in an image")]
    [TestCase("- recipe:", "- receipt:", "'receipt' isn't a kind of layer")]
    [TestCase("osVersion", "osVersoin", "There is no key 'osVersoin' here")]
    [TestCase("version: 1\n", "version: 2\n", "The file is of another version of Crust")]
    public void What_is_wrong_is_said_with_its_place(string what, string instead, string says)
    {
        Assert.That(Good, Does.Contain(what));
        var error = Assert.Throws<CrustException>(() => ProviderReader.Parse(Good.Replace(what, instead), "provider.yaml"))!;

        Assert.That(error.Kind, Is.EqualTo(FailureKind.BadInput));
        Assert.That(error.What, Does.Contain(says));
        Assert.That(error.Where, Does.StartWith("provider.yaml:"));
    }

    [Test]
    public void Two_versions_of_one_tag_and_no_repository_are_refused()
    {
        var twice = ProviderReader.Parse(Good.Replace("1.34.1+k3s2", "1.33.5+k3s2"), "provider.yaml");
        Assert.That(() => ProviderTarget.Of(twice), Throws.TypeOf<CrustException>().With.Property("What").EqualTo("Two versions have the tag k3s-1.33.5-v4.10.0-demo"));
        Assert.That(() => ProviderTarget.Of(twice with { Publish = new PublishSpec() }), Throws.TypeOf<CrustException>().With.Property("What").EqualTo("Nothing says in which registry the images are to be published"));
    }

    [Test]
    public void The_values_of_the_pack_are_those_of_CanvOS()
    {
        var spec = ProviderReader.Parse(Good, "provider.yaml") with { OsName = "ubuntu" };
        var values = PackValues.Of(spec, ProviderTarget.Of(spec));

        Assert.That(values.ToYaml(), Does.StartWith("pack:\n  content:\n    images:\n      - image: '{{.spectro.pack.edge-native-byoi.options.system.uri}}'\n"));
        Assert.That(values.ToYaml(), Does.Contain("\noptions:\n  system.uri: '{{ .spectro.pack.edge-native-byoi.options.system.registry }}/{{ .spectro.pack.edge-native-byoi.options.system.repo }}:"
            + "{{ .spectro.pack.edge-native-byoi.options.system.k8sDistribution }}-{{ .spectro.system.kubernetes.version }}-{{ .spectro.pack.edge-native-byoi.options.system.peVersion }}-"
            + "{{ .spectro.pack.edge-native-byoi.options.system.customTag }}'\n  system.registry: 'registry.example.com/edge'\n  system.repo: 'ubuntu'\n"));
        Assert.That((values with { CustomTag = null }).Uri, Does.EndWith("-{{ .spectro.pack.edge-native-byoi.options.system.peVersion }}"), "no dash is left where there is no custom tag");
    }

    [Test]
    public void The_schema_in_the_docs_is_that_of_the_code() => RepositoryFile.MustEqual("docs/provider.schema.json", ProviderSchema.ToJson());

    [TestCase("", "", true)]
    [TestCase("version: 1\n", "version: 2\n", false)]
    [TestCase("distribution: k3s", "distribution: k4s", false)]
    [TestCase("to: /oem/", "to: oem/", false)]
    [TestCase("osVersion", "osVersoin", false)]
    [TestCase("- recipe:", "- receipt:", false)]
    public async Task The_schema_says_the_same_as_the_reader(string what, string instead, bool isGood)
    {
        var path = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(path, what.Length == 0 ? Good : Good.Replace(what, instead));
            var result = await new ToolBox(["/usr/bin", "/bin"], Logger.None).RunAsync(ToolCommand.Of("python3", "-c", Validate, RepositoryFile.PathOf("docs/provider.schema.json"), path), CancellationToken.None);

            Assert.That(result.Output.Length == 0, Is.EqualTo(isGood), result.Output);
        }
        finally
        {
            File.Delete(path);
        }
    }
}
