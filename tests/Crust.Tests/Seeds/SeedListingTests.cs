using System.Collections.Immutable;
using System.Text.Json;
using Crust.Seeds;
using Crust.Spec;

namespace Crust.Tests.Seeds;

public sealed class SeedListingTests
{
    private SeedSample _sample = null!;

    [SetUp]
    public void SetUp() => _sample = new SeedSample();

    [TearDown]
    public void TearDown() => _sample.Dispose();

    [Test]
    public void Each_value_is_shown_with_where_it_comes_from()
    {
        var spec = SeedSample.SpecOf(_sample.SpecWithUserData("#cloud-config\ninstall: {device: /dev/vda}\n", new SeedSpec { Hostname = "edge" })) with
        {
            Origins = ImmutableDictionary<string, string>.Empty.Add("seed.hostname", "option --hostname"),
        };

        var document = List(spec).Documents[0];

        using (Assert.EnterMultipleScope())
        {
            Assert.That(document.WithPlaces, Is.EqualTo($"""
                #cloud-config
                install:
                  auto: true # default
                  device: /dev/vda # {_sample.Folder}/user-data.yaml:2:19
                  poweroff: true # default
                hostname: "edge" # option --hostname

                """));
            Assert.That(document.Parts, Does.Contain(new ListedPart("install.device", $"{_sample.Folder}/user-data.yaml:2:19")));
        }
    }

    [Test]
    public void No_secret_is_shown_unless_that_is_asked_for()
    {
        var spec = SeedSample.SpecOf(_sample.SpecWithUserData("""
            #cloud-config
            password: plain-one
            chpasswd: {users: [{name: a, password: plain-two, type: text}]}
            wifi: ${WIFI}
            runcmd: [usermod -p $6$abc$aaaaaaaaaaaaaaaaaaa bob]
            p2p: {network_token: plain-three}

            """, SeedSample.Full with { Substitute = true, Variables = ImmutableDictionary<string, string>.Empty.Add("WIFI", "plain-four") }));
        string[] secrets = ["plain-one", "plain-two", "plain-three", "plain-four", "tok3n", "$6$"];

        var (hidden, shown) = (List(spec), List(spec, reveal: true));

        using (Assert.EnterMultipleScope())
        {
            foreach (var secret in secrets)
            {
                Assert.That(hidden.ToJson() + hidden.Documents[0].WithPlaces, Does.Not.Contain(secret));
                Assert.That(shown.Documents[0].Text, Does.Contain(secret));
                Assert.That(shown.Documents[0].WithPlaces, Does.Contain(secret));
            }

            Assert.That(hidden.Documents[0].Secrets, Is.EquivalentTo(new[]
            {
                "stylus.site.edgeHostToken", "users[0].passwd", "stages.initramfs[0].users.edge.passwd", "password", "chpasswd.users[0].password", "wifi", "runcmd[0]", "p2p.network_token",
            }));
        }
    }

    [Test]
    public void What_is_shown_is_still_YAML_that_means_the_same()
    {
        var spec = SeedSample.SpecOf(_sample.SpecWithUserData("#cloud-config\na: |\n  x: 1 # no comment\n  y\nb: [1, {c: 'it''s'}, []]\nd:\ne: {}\n"));

        var document = List(spec, reveal: true).Documents[0];

        Assert.That(Crust.Seeds.Documents.ConfigNode.IsSame(Read(document.WithPlaces!), Read(document.Text)), document.WithPlaces);

        static Crust.Seeds.Documents.ConfigNode Read(string yaml) => Crust.Seeds.Documents.ConfigReader.Read(yaml, "test")!;
    }

    [Test]
    public void The_document_for_programs_says_what_carries_the_seed()
    {
        using var json = JsonDocument.Parse(List(SeedSample.SpecOf(SeedSample.Full)).ToJson());

        Assert.That((json.RootElement.GetProperty("kind").GetString(), json.RootElement.GetProperty("carrier").GetString(), json.RootElement.GetProperty("label").GetString()),
            Is.EqualTo(("nocloud", "volume", "cidata")));
    }

    private static SeedListing List(BuildSpec spec, bool reveal = false) =>
        SeedListing.Of(Seed.Compose(spec, SeedFiles.Read(spec.Seed), null, SeedSample.Instance), reveal);
}
