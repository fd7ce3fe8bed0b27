using Crust.Content;
using Crust.Spec;
using Crust.Tests.Spec;
using Crust.Tools;
using Serilog.Core;

namespace Crust.Tests.Content;

public sealed class ContentPlanReaderTests
{
    private const string Digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    private const string Good = $$"""
        version: 1
        name: edge-content
        archs: [amd64]
        images:
          - docker.io/library/nginx:1.27
          - registry.example.com:5000/app@{{Digest}}
          - image: registry.example.com:5000/tool:2.0@{{Digest}}
            archs: [arm64, amd64]
            from: registry.local/copies/tool:2.0
        files:
          - charts/
          - { path: values.yaml, to: config/values.yaml, sha256: {{Digest}} }
        registries:
          - { registry: 'registry.example.com:5000', authFile: auth.json, certDir: certs, tls: true }
          - { registry: docker.io, tls: false, mirror: registry.local/hub }
        retries: 2
        stall: 90s
        split: 100M
        level: 5

        """;

    private const string Validate = """
        import json, sys, yaml, jsonschema
        schema = json.load(open(sys.argv[1]))
        jsonschema.Draft202012Validator.check_schema(schema)
        for error in list(jsonschema.Draft202012Validator(schema).iter_errors(yaml.safe_load(open(sys.argv[2]))))[:1]:
            print(error.json_path, error.message)
        """;

    [Test]
    public void A_file_says_what_is_packed_and_where_it_comes_from()
    {
        var plan = Parse(Good);

        Assert.That((plan.Name, plan.Split, plan.Level, plan.Patience.Retries, plan.Patience.Stall), Is.EqualTo(("edge-content", (long?)(100 << 20), 5, 2, TimeSpan.FromSeconds(90))));
        Assert.That(plan.Images.Select(image => (image.Name.ToString(), image.Tag, string.Join(' ', image.Archs), plan.SourceOf(image).ToString())), Is.EqualTo(new[]
        {
            ("docker.io/library/nginx:1.27", "1.27", "Amd64", "registry.local/hub/library/nginx:1.27"),
            ($"registry.example.com:5000/app@{Digest}", (string?)null, "Amd64", $"registry.example.com:5000/app@{Digest}"),
            ($"registry.example.com:5000/tool@{Digest}", "2.0", "Amd64 Arm64", $"registry.local/copies/tool@{Digest}"),
        }));
        Assert.That(plan.Images[2].NamesAs(Digest), Is.EqualTo(new[] { "registry.example.com:5000/tool:2.0", $"registry.example.com:5000/tool@{Digest}" }));
        Assert.That(plan.Files.Select(file => (file.Path, file.To, file.Sha256)), Is.EqualTo(new[]
        {
            ("/site/charts", "charts", null), ("/site/values.yaml", "config/values.yaml", Digest["sha256:".Length..]),
        }));
        Assert.That(plan.ConnectionTo("registry.example.com:5000"), Is.EqualTo(plan.Patience with { AuthFile = "/site/auth.json", CertDir = "/site/certs" }));
        Assert.That((plan.ConnectionTo("docker.io").Tls, plan.ConnectionTo("other.example.com")), Is.EqualTo((false, plan.Patience)));
    }

    [Test]
    public void What_is_not_said_is_as_CanvOS_does_it()
    {
        var plan = Parse("version: 1\nfiles: [a]\n");

        Assert.That((plan.Name, plan.Split, plan.Level), Is.EqualTo(("content", (long?)3_000_000_000, 3)));
        Assert.That(Parse("version: 1\nfiles: [a]\nsplit: none\n").Split, Is.Null);
        Assert.That(Parse("version: 1\nimages: [localhost/a]\n").Images.Single() is var image ? (image.Name.ToString(), image.Tag, image.Archs.Single(), image.Where) : default,
            Is.EqualTo(("localhost/a:latest", "latest", Arch.Amd64, "content.yaml:2:10, images[0]")));
    }

    [TestCase("version: 1", "version: 2", "content.yaml:1:10, version", "another version")]
    [TestCase("name: edge-content", "name: edge/content", "content.yaml:2:7, name", "can't be the name of a bundle")]
    [TestCase("archs: [amd64]", "archs: [x86]", "content.yaml:3:8, archs", "isn't an architecture")]
    [TestCase("- docker.io/library/nginx:1.27", "- nginx:1.27", "content.yaml:5:5, images[0].image", "isn't a repository")]
    [TestCase("- docker.io/library/nginx:1.27", "- ", "content.yaml:5:4, images[0]", "is one value, not a mapping")]
    [TestCase("- docker.io/library/nginx:1.27", "- docker.io/library/nginx@sha256:1", "content.yaml:5:5, images[0].image", "names a digest that is none")]
    [TestCase("archs: [arm64, amd64]", "archs: [riscv]", "content.yaml:8:12, images[2].archs", "isn't an architecture")]
    [TestCase("from: registry.local/copies/tool:2.0", "form: registry.local/copies/tool:2.0", "content.yaml:9:5, images[2].form", "no key 'form'")]
    [TestCase("- charts/", "- ../", "content.yaml:11:5, files[0].path", null)]
    [TestCase("to: config/values.yaml", "to: /etc/values.yaml", "content.yaml:12:30, files[1].to", "can't be a path in the bundle")]
    [TestCase("to: config/values.yaml", "to: ../values.yaml", "content.yaml:12:30, files[1].to", "can't be a path in the bundle")]
    [TestCase("to: config/values.yaml", "to: charts", "content.yaml:12:5, files[1]", "Two files are to be 'charts'")]
    [TestCase("registry: docker.io", "registry: https://docker.io", "content.yaml:15:17, registries[1].registry", "isn't the name of a registry")]
    [TestCase("mirror: registry.local/hub", "mirror: https://registry.local", "content.yaml:15:48, registries[1].mirror", "can't be a mirror")]
    [TestCase("tls: false", "tls: maybe", "content.yaml:15:33, registries[1].tls", "neither true nor false")]
    [TestCase("registry: docker.io", "registry: 'registry.example.com:5000'", "content.yaml:15:17, registries[1].registry", "stands twice")]
    [TestCase("retries: 2", "retries: many", "content.yaml:16:10, retries", "isn't a number from 0 to 100")]
    [TestCase("stall: 90s", "stall: 0s", "content.yaml:17:8, stall", "isn't a length of time")]
    [TestCase("split: 100M", "split: 1K", "content.yaml:18:8, split", "can't be the size of a part")]
    [TestCase("level: 5", "level: 19", "content.yaml:19:8, level", "isn't a number from 1 to 9")]
    [TestCase("level: 5", "levle: 5", "content.yaml:19:1, levle", "no key 'levle'")]
    public void What_is_wrong_is_said_with_line_and_column(string what, string instead, string where, string? says)
    {
        var text = Good.Replace(what, instead);

        Assert.That(text, Is.Not.EqualTo(Good));
        var error = Assert.Throws<CrustException>(() => Parse(text))!;

        Assert.That((error.Kind, error.Where), Is.EqualTo((FailureKind.BadInput, where)), error.Message);
        Assert.That(error.What, Does.Contain(says ?? ""));
        Assert.That(error.Remedy, Is.Not.Empty);
    }

    [Test]
    public void An_image_stands_once_and_a_bundle_is_not_empty()
    {
        var twice = Assert.Throws<CrustException>(() => Parse("version: 1\nimages:\n- localhost/a:1\n- { image: 'localhost/a:1', archs: arm64 }\n"))!;
        var empty = Assert.Throws<CrustException>(() => Parse("version: 1\n"))!;

        Assert.That((twice.What, twice.Where), Is.EqualTo(("The image localhost/a:1 stands twice", "content.yaml:4:3, images[1]")));
        Assert.That(empty.What, Is.EqualTo("The bundle would be empty"));
    }

    [Test]
    public void The_schema_in_the_docs_is_that_of_the_code() => RepositoryFile.MustEqual("docs/content.schema.json", ContentSchema.ToJson());

    [TestCase("", "", true)]
    [TestCase("version: 1", "version: 2", false)]
    [TestCase("name: edge-content", "name: edge/content", false)]
    [TestCase("archs: [amd64]", "archs: x86", false)]
    [TestCase("image: registry", "imgae: registry", false)]
    [TestCase("to: config/values.yaml", "to: ../values.yaml", false)]
    [TestCase("tls: false", "tls: maybe", false)]
    [TestCase("split: 100M", "split: none", true)]
    [TestCase("split: 100M", "split: 3000000000", true)]
    [TestCase("split: 100M", "split: much", false)]
    [TestCase("level: 5", "level: 19", false)]
    public async Task The_schema_says_the_same_as_the_reader(string what, string instead, bool isGood)
    {
        var path = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(path, what.Length == 0 ? Good : Good.Replace(what, instead));
            var validate = ToolCommand.Of("python3", "-c", Validate, RepositoryFile.PathOf("docs/content.schema.json"), path);
            var result = await new ToolBox(["/usr/bin", "/bin"], Logger.None).RunAsync(validate, CancellationToken.None);

            Assert.That(result.Output.Length == 0, Is.EqualTo(isGood), result.Output);
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static ContentPlan Parse(string text) => ContentPlanReader.Parse(text, "content.yaml", "/site");
}
