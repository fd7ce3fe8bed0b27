using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using Crust.Seeds;
using Crust.Spec;
using Crust.Tools;

namespace Crust.Tests.Seeds.Documents;

/// <summary>User-data of several kinds in one archive; cloud-init's own code takes it apart, where it is installed.</summary>
public sealed class MimeArchiveTests
{
    // As cloud-init's stages do it: the message is taken apart, and all cloud-configs in it are merged by their handler.
    private const string Judge = """
        import json, sys, tempfile
        from cloudinit import handlers, helpers, user_data, util
        from cloudinit.handlers.cloud_config import CloudConfigPartHandler
        paths = helpers.Paths({"cloud_dir": tempfile.gettempdir()})
        handler = CloudConfigPartHandler(paths)
        handler.handle_part(None, handlers.CONTENT_START, None, None, None, None)
        others = []
        for part in user_data.UserDataProcessor(paths).process(sys.stdin.buffer.read()).walk():
            if part.get_content_maintype() == "multipart":
                continue
            ctype, payload = part.get_content_type(), util.fully_decoded_payload(part)
            if ctype in ("text/cloud-config", "text/cloud-config-jsonp"):
                handler.handle_part(None, ctype, part.get_filename(), payload, None, part)
            else:
                others.append([ctype, payload])
        print(json.dumps({"config": handler.cloud_buf, "others": others}))
        """;

    private const string Script = "#!/bin/sh\necho one --two\n\n--crust-part-0\necho 'no line break at its end'";

    private SeedSample _sample = null!;

    [SetUp]
    public void SetUp() => _sample = new SeedSample();

    [TearDown]
    public void TearDown() => _sample.Dispose();

    [TestCase(Script, "text/x-shellscript")]
    [TestCase("#!/bin/sh\necho grüße 😀 \u2028\n", "text/x-shellscript")]
    [TestCase("#cloud-boothook\n#!/bin/sh\r\necho early\r\n", "text/cloud-boothook")]
    [TestCase("#part-handler\ndef list_types(): return []\n", "text/part-handler")]
    [TestCase("## template: jinja\n#!/bin/sh\necho {{ v1.hostname }}\n", "text/jinja2")]
    public async Task What_is_no_cloud_config_arrives_as_it_is_beside_what_the_spec_says(string text, string type)
    {
        var (config, others) = await AskAsync(Compose(SeedSample.Full with { Hostname = "edge-1" }, text));

        Assert.That(others, Is.EqualTo(new[] { (type, text) }));
        Assert.That(config.GetProperty("hostname").GetString(), Is.EqualTo("edge-1"));
        Assert.That(Names(config), Is.EqualTo(new[] { "edge" }));
        Assert.That(config.GetProperty("ssh_pwauth").GetBoolean(), Is.True);
    }

    [TestCase("#cloud-config\nhostname: mine\nusers:\n- name: other\nruncmd: [a]\n", Script)]
    [TestCase(Script, "#cloud-config\nhostname: mine\nusers: [{name: other}]\nruncmd: [a]\n")]
    [TestCase("#cloud-config-archive\n- type: text/cloud-config\n  content: |\n    hostname: mine\n    users: [{name: other}]\n    runcmd: [a]\n- |\n  " + "#!/bin/sh\n  true\n", null)]
    [TestCase("#cloud-config\nhostname: base\nusers: [{name: other}]\n",
        "#cloud-config-jsonp\n[{\"op\": \"replace\", \"path\": \"/hostname\", \"value\": \"mine\"}, {\"op\": \"add\", \"path\": \"/runcmd\", \"value\": [\"a\"]}]\n")]
    public async Task A_users_cloud_config_goes_over_the_generated_one_and_lists_have_the_entries_of_both(string first, string? second)
    {
        var (config, _) = await AskAsync(Compose(SeedSample.Full with { Hostname = "edge-1" }, second is null ? [first] : [first, second]));

        Assert.That(config.GetProperty("hostname").GetString(), Is.EqualTo("mine"));
        Assert.That(Names(config), Is.EquivalentTo(new[] { "other", "edge" }));
        Assert.That(config.GetProperty("runcmd").EnumerateArray().Select(command => command.GetString()), Is.EqualTo(new[] { "a" }));
    }

    [Test]
    public async Task An_archive_that_cloud_init_has_made_is_one_of_its_parts()
    {
        Assume.That(SeedSample.Tools.Find("cloud-init"), Is.Not.Null, "cloud-init isn't installed");
        var (script, config) = (_sample.Write("script", "#!/bin/sh\necho grüße\n"), _sample.Write("config", "#cloud-config\nusers: [{name: other}]\n"));
        var made = await SeedSample.Tools.RunAsync(ToolCommand.Of("cloud-init", "devel", "make-mime", "-a", $"{script}:x-shellscript", "-a", $"{config}:cloud-config"), CancellationToken.None);

        var told = await AskAsync(Compose(SeedSample.Full, made.Output));

        Assert.That(told.Others, Is.EqualTo(new[] { ("text/x-shellscript", "#!/bin/sh\necho grüße\n") }));
        Assert.That(Names(told.Config), Is.EqualTo(new[] { "other", "edge" }));
    }

    [TestCase("#!/bin/sh\nregister ${TOKEN}\n")]
    [TestCase("#!/bin/sh\n# für uns\nregister ${TOKEN}\n")]
    public void Its_secrets_are_masked_and_known_and_the_published_key_tells_nothing_of_them(string script)
    {
        SeedSpec With(string token) => Spec(SeedSample.Full with { Substitute = true, Variables = ImmutableDictionary<string, string>.Empty.Add("TOKEN", token) }, script);
        var seeds = new[] { "hunter2-one", "hunter2-two" }.Select(token => (Token: token, Spec: With(token))).ToList();

        foreach (var (token, spec) in seeds)
        {
            var seed = SeedSample.Compose(spec, profile: SeedProfile.Debian);
            var listed = SeedListing.Of(seed, reveal: false).Documents[0];
            Assert.That(seed.Secrets.Select(secret => secret.Reveal()), Has.Member(token).And.Some.StartsWith("$6$"));
            Assert.That(listed.Text, Does.Not.Contain(token).And.Not.Contain("$6$").And.Contain("Content-Type: multipart/mixed"));
            foreach (var block in listed.Text.Split("\n\n").Select(block => block.Split("\n--")[0].Replace("\n", "", StringComparison.Ordinal)))
            {
                var bytes = new byte[block.Length];
                Assert.That(Convert.TryFromBase64String(block, bytes, out var length) ? Encoding.UTF8.GetString(bytes, 0, length) : "", Does.Not.Contain(token));
            }

            Assert.That(listed.Secrets, Has.Some.EqualTo("users[0].passwd").And.Some.StartWith("user-data: "));
        }

        Assert.That(seeds.Select(seed => SeedKey.Of(SeedSample.SpecOf(seed.Spec), SeedFiles.Read(seed.Spec), SeedProfile.Debian, "installer").Published).Distinct().Count(), Is.EqualTo(1));
    }

    [Test]
    public void What_a_variable_brings_to_a_script_that_goes_alone_is_masked_too()
    {
        var spec = Spec(new SeedSpec { Substitute = true, Variables = ImmutableDictionary<string, string>.Empty.Add("TOKEN", "hunter2-one") }, "#!/bin/sh\nregister ${TOKEN}\n");

        Assert.That(SeedListing.Of(SeedSample.Compose(spec, profile: SeedProfile.Debian), reveal: false).Documents[0].Text, Does.StartWith("#!/bin/sh\nregister ").And.Not.Contain("hunter2"));
    }

    [Test]
    public void The_cloud_configs_in_it_are_checked()
    {
        var spec = Spec(new SeedSpec { Profile = SeedProfile.Debian, Ssh = SeedSample.Full.Ssh }, Script, "#cloud-config\nhostname: edge_1\nruncmd: reboot\n");

        Assert.That(SeedSample.RulesAgainst(SeedSample.SpecOf(spec)), Is.EquivalentTo(new[] { "hostname", "wrong-type" }));
    }

    [TestCase(null, "vendor.iso", "set seed.profile to debian if it is cloud-init that reads it")]
    [TestCase(SeedProfile.Kairos, "vendor.iso", null)]
    [TestCase(SeedProfile.Debian, null, null)]
    public void Readers_that_are_not_known_to_be_cloud_init_get_no_archive(SeedProfile? profile, string? iso, string? wayOut)
    {
        var spec = SeedSample.SpecOf(Spec(SeedSample.Full with { Profile = profile }, Script), iso: iso);

        var error = Assert.Throws<CrustException>(() => Crust.Seeds.Seed.Compose(spec, SeedFiles.Read(spec.Seed), profile, SeedSample.Instance))!;

        Assert.That(error.What, Does.StartWith("This is a script (#!), which can't be merged"));
        Assert.That(error.Remedy, Is.EqualTo($"say the same in a #cloud-config: runcmd, bootcmd, write_files{(wayOut is null ? "" : $"; or {wayOut}")}"));
    }

    private SeedSpec Spec(SeedSpec seed, params string[] texts) => seed with { UserData = [.. texts.Select((text, i) => _sample.Write($"user-data-{i}", text))] };

    private string Compose(SeedSpec seed, params string[] texts) => SeedSample.UserDataOf(SeedSample.Compose(Spec(seed, texts), profile: SeedProfile.Debian));

    private static IEnumerable<string?> Names(JsonElement config) => config.GetProperty("users").EnumerateArray().Select(user => user.GetProperty("name").GetString());

    private static async Task<(JsonElement Config, ImmutableArray<(string? Type, string? Text)> Others)> AskAsync(string userData)
    {
        Assume.That(File.Exists("/usr/lib/python3/dist-packages/cloudinit/user_data.py"), "cloud-init isn't installed");
        var told = await SeedSample.Tools.RunAsync(ToolCommand.Of("python3", "-c", Judge) with { Input = userData }, CancellationToken.None);
        var root = JsonDocument.Parse(told.Output).RootElement;
        return (root.GetProperty("config"), [.. root.GetProperty("others").EnumerateArray().Select(other => (other[0].GetString(), other[1].GetString()))]);
    }
}
