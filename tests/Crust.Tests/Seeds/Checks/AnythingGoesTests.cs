using Crust.Installers;
using Crust.Seeds.Checks;
using Crust.Seeds.Documents;
using Crust.Spec;
using FsCheck;
using FsCheck.Fluent;
using YamlDotNet.Core;

namespace Crust.Tests.Seeds.Checks;

public sealed class AnythingGoesTests
{
    private static readonly Place Nowhere = new("x.yaml", 1, 1);

    private static readonly ConfigNode[] Others =
    [
        new ConfigScalar("", ScalarStyle.Plain, Nowhere),
        new ConfigScalar("5", ScalarStyle.Plain, Nowhere),
        new ConfigScalar("text", ScalarStyle.DoubleQuoted, Nowhere),
        new ConfigList([], Nowhere),
        new ConfigList([new ConfigList([ConfigMap.Empty], Nowhere)], Nowhere),
        new ConfigMap([new ConfigEntry(new ConfigList([], Nowhere), ConfigMap.Empty), new ConfigEntry(new ConfigScalar("name", ScalarStyle.Plain, Nowhere), ConfigMap.Empty)], Nowhere),
    ];

    private SeedSample _sample = null!;

    [SetUp]
    public void SetUp() => _sample = new SeedSample();

    [TearDown]
    public void TearDown() => _sample.Dispose();

    [Test]
    public void Whatever_stands_in_place_of_a_part_of_a_document_no_rule_trips_over_it()
    {
        var random = new System.Random(42);
        foreach (var document in CorpusDocument.In("valid").Where(document => document.Name.EndsWith(".yaml", StringComparison.Ordinal) && document["file"] is null))
        {
            var root = CloudConfig.Read(File.ReadAllText(document.Path), "x.yaml");
            for (var i = 0; i < 12; i++)
            {
                var changed = (ConfigMap)Change(root, random, isRoot: true);
                var spec = document.Spec with { Seed = document.Spec.Seed with { UserData = [_sample.Write("x.yaml", CloudConfig.ToText(changed))] } };
                Assert.That(() => CheckReport.Of(spec, InstallerSource.ProfileOf(spec.Installer, "/nowhere")), Throws.Nothing, CloudConfig.ToText(changed));
            }
        }
    }

    [Test]
    public void No_random_token_is_refused()
    {
        var tokens = Gen.Elements("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=-_.".ToCharArray()).ArrayOf(20).Select(letters => new string(letters));
        Prop.ForAll(tokens.ToArbitrary(), token =>
        {
            var spec = SeedSample.SpecOf(new SeedSpec { Palette = new PaletteSpec { Endpoint = "api.example.org", EdgeHostToken = new Secret(token) } });
            return token.Contains("...", StringComparison.Ordinal) || !SeedSample.RulesAgainst(spec).Any();
        }).QuickCheckThrowOnFailure();
    }

    private static ConfigNode Change(ConfigNode node, System.Random random, bool isRoot = false)
    {
        if (!isRoot && random.Next(4) == 0)
            return Others[random.Next(Others.Length)];
        switch (node)
        {
            case ConfigMap { Entries.IsEmpty: false } map:
                var key = random.Next(map.Entries.Length);
                return map.With(map.Entries.SetItem(key, map.Entries[key] with { Value = Change(map.Entries[key].Value, random) }));
            case ConfigList { Items.IsEmpty: false } list:
                var item = random.Next(list.Items.Length);
                return list.With(list.Items.SetItem(item, Change(list.Items[item], random)));
            default:
                return isRoot ? node : Others[random.Next(Others.Length)];
        }
    }
}
