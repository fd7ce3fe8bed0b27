using Crust.Spec;
using Crust.Sysexts;
using Crust.Sysexts.Baking;
using Crust.Tests.Spec;
using Crust.Tools;
using Serilog.Core;

namespace Crust.Tests.Sysexts;

/// <summary>`versions.yaml`: what it means, what is wrong with it, and its schema, which Python's jsonschema is asked about.</summary>
public sealed class VersionsFileTests
{
    private const string Good = """
        version: 1
        url: https://extensions.example.org/stable
        archs: [amd64, arm64]
        profile: flatcar
        epoch: 1700000000
        extensions:
          - recipe: k3s
            versions: ['1.36.4+k3s1', '1.35.8+k3s1']
            name: k3s
            variant: server
          - { recipe: docker, versions: '29.7.2', archs: amd64, format: erofs, reload: true, profile: any, os: debian, osVersion: 12, follow: none }

        """;

    private const string Validate = """
        import json, sys, yaml, jsonschema
        schema = json.load(open(sys.argv[1]))
        jsonschema.Draft202012Validator.check_schema(schema)
        for error in list(jsonschema.Draft202012Validator(schema).iter_errors(yaml.safe_load(open(sys.argv[2]))))[:1]:
            print(error.json_path, error.message)
        """;

    [Test]
    public void An_entry_has_what_stands_with_it_and_otherwise_what_stands_above_all()
    {
        var file = VersionsReader.Parse(Good, "versions.yaml");

        Assert.That(file.Orders.Select(order => order.Plan.FileName), Is.EqualTo(new[]
        {
            "k3s-1.36.4+k3s1-x86-64.raw", "k3s-1.36.4+k3s1-arm64.raw", "k3s-1.35.8+k3s1-x86-64.raw", "k3s-1.35.8+k3s1-arm64.raw", "docker-29.7.2-x86-64.raw",
        }));
        var (k3s, docker) = (file.Entries[0], file.Entries[1]);
        Assert.That((file.Url!.AbsoluteUri, file.Pinned), Is.EqualTo(("https://extensions.example.org/stable/", SysextIndex.UsuallyPinned)));
        Assert.That((k3s.Plan.OsId, k3s.Plan.Level, k3s.Plan.Epoch, k3s.Plan.Format, k3s.Variant, k3s.Follow), Is.EqualTo(("flatcar", "1.0", 1700000000L, SysextFormat.Squashfs, "server", FollowedVersions.Minor)));
        Assert.That((docker.Plan.OsId, docker.Plan.Level, docker.Plan.OsVersion, docker.Plan.Format, docker.Plan.Reload, docker.Follow), Is.EqualTo(("debian", (string?)null, "12", SysextFormat.Erofs, true, FollowedVersions.None)));
    }

    [TestCase("version: 1", "version: 2", "versions.yaml:1:10, version", "another version of Crust")]
    [TestCase("url: https", "url: ftp", "versions.yaml:2:6, url", "isn't a URL")]
    [TestCase("arm64]", "sparc]", "versions.yaml:3:8, archs", "no architecture")]
    [TestCase("profile: flatcar", "profile: flatcat", "versions.yaml:4:10, profile", "no value of profile")]
    [TestCase("epoch: 1700000000", "epoch: yesterday", "versions.yaml:5:8, epoch", "no time in seconds")]
    [TestCase("    variant: server", "    varient: server", "versions.yaml:10:5, extensions[0].varient", "no key 'varient'")]
    [TestCase("'1.35.8+k3s1'", "'1.36.4+k3s1'", "versions.yaml:8:15, extensions[0].versions", "stands twice")]
    [TestCase("versions: '29.7.2'", "versions: []", "versions.yaml:11:33, extensions[1].versions", "No version of docker")]
    [TestCase("'29.7.2'", "latest", "versions.yaml:11:5, extensions[1] (docker@latest)", "can't be the version in a file's name")]
    [TestCase(", osVersion: 12", "", "versions.yaml:11:5, extensions[1] (os: debian)", "Debian's os-release has no SYSEXT_LEVEL")]
    [TestCase("reload: true", "reload: maybe", "versions.yaml:11:80, extensions[1].reload", "neither true nor false")]
    [TestCase("recipe: docker", "recipe: docker, name: k3s, variant: x", "versions.yaml:11:5, extensions[1]", null)]
    public void What_is_wrong_is_said_with_line_and_column(string what, string instead, string where, string? says)
    {
        var text = says is null ? Good.Replace(what, instead).Replace("'29.7.2'", "'1.36.4+k3s1'") : Good.Replace(what, instead);

        Assert.That(text, Is.Not.EqualTo(Good));
        var error = Assert.Throws<CrustException>(() => VersionsReader.Parse(text, "versions.yaml"))!;

        Assert.That((error.Kind, error.Where), Is.EqualTo((FailureKind.BadInput, where)), error.Message);
        Assert.That(error.What, Does.Contain(says ?? "Two entries make k3s-1.36.4+k3s1-x86-64.raw"));
    }

    [Test]
    public void The_schema_in_the_docs_is_that_of_the_code() => RepositoryFile.MustEqual("docs/versions.schema.json", VersionsSchema.ToJson());

    [TestCase("", "", true)]
    [TestCase("version: 1", "version: 2", false)]
    [TestCase("url: https", "url: ftp", false)]
    [TestCase("profile: flatcar", "profile: flatcat", false)]
    [TestCase("epoch: 1700000000", "epoch: yesterday", false)]
    [TestCase("    variant: server", "    varient: server", false)]
    [TestCase("reload: true", "reload: maybe", false)]
    [TestCase("follow: none", "follow: all", false)]
    public async Task The_schema_says_the_same_as_the_reader(string what, string instead, bool isGood)
    {
        var path = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(path, what.Length == 0 ? Good : Good.Replace(what, instead));
            var result = await new ToolBox(["/usr/bin", "/bin"], Logger.None).RunAsync(ToolCommand.Of("python3", "-c", Validate, RepositoryFile.PathOf("docs/versions.schema.json"), path), CancellationToken.None);

            Assert.That(result.Output.Length == 0, Is.EqualTo(isGood), result.Output);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [TestCase("a: '1.0' # x\nb: [1.0, \"2.0\"]\n", "a: '1.10' # x\nb: [1.1.0, \"3.0\"]\n")]
    public void Values_are_replaced_where_they_stand_and_all_else_stays(string before, string after)
    {
        var root = YamlMapping.Parse(before, "x", "a file");
        var (a, b) = (root.Spans("a"), root.Spans("b"));

        Assert.That(YamlSpan.Replace(before, [(a[0], "1.10"), (b[0], "1.1.0"), (b[1], "3.0")]), Is.EqualTo(after));
        Assert.That(YamlSpan.Replace(before, [(b[0], "1.1")]), Does.Contain("['1.1', "));
    }
}
