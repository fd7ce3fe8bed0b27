using Crust.Seeds.Documents;
using Crust.Tests.Spec;
using FsCheck;
using FsCheck.Fluent;
using YamlDotNet.Core;

namespace Crust.Tests.Seeds.Documents;

public sealed class ConfigTests
{
    [TestCase("a: 1", "b: 2", "a: 1\nb: 2\n")]
    [TestCase("a: 1", "a: 2", "a: 2\n")]
    [TestCase("a: {b: 1, c: 2}", "a: {c: 3, d: 4}", "a: {b: 1, c: 3, d: 4}\n")]
    [TestCase("a: [{x: 1}]", "a: [{x: 1}, {y: 2}]", "a: [{x: 1}, {x: 1}, {y: 2}]\n")]
    [TestCase("a: [x, y]", "a: [y, z, z]", "a: [x, y, z]\n")]
    [TestCase("a: [5]", "a: ['5', 5]", "a: [5, '5']\n")]
    [TestCase("a: []", "a: [x, x]", "a: [x, x]\n")]
    [TestCase("a:", "a: 1", "a: 1\n")]
    [TestCase("a: {b: 1}", "a:", "a: {}\n")]
    [TestCase("a: [1]", "a: ~", "a: []\n")]
    [TestCase("a: 1", "a: ~", "a: ~\n")]
    [TestCase("a: {b: 1}", "a: 5", "a: 5\n")]
    [TestCase("a: 5", "a: {b: 1}", "a: {b: 1}\n")]
    [TestCase("a: [{x: 1}]", "a: {x: 1}", "a: {x: 1}\n")]
    [TestCase("a: 1", "'a': 2", "a: 2\n")]
    public void Documents_merge_as_in_Kairos_and_the_second_wins(string under, string over, string merged) =>
        Assert.That(ConfigWriter.Write(KairosMerge.Merge(Parse(under), Parse(over))), Is.EqualTo(merged));

    [Test]
    public void Merging_changes_neither_document()
    {
        var (under, over) = (Parse("a: {b: [1]}"), Parse("a: {b: [2]}"));

        KairosMerge.Merge(under, over);

        using (Assert.EnterMultipleScope())
        {
            Assert.That(ConfigWriter.Write(under), Is.EqualTo("a: {b: [1]}\n"));
            Assert.That(ConfigWriter.Write(over), Is.EqualTo("a: {b: [2]}\n"));
        }
    }

    [Test]
    public void Aliases_and_merge_keys_are_written_out() => Assert.That(
        ConfigWriter.Write(Parse("a: &x {p: 1, q: 2}\nb: *x\nc: {<<: *x, q: 3}\nd: {<<: [{p: 5}, *x]}")),
        Is.EqualTo("a: {p: 1, q: 2}\nb: {p: 1, q: 2}\nc: {q: 3, p: 1}\nd: {p: 5, q: 2}\n"));

    [Test]
    public void An_anchor_that_holds_itself_is_refused() => ErrorAssert.Says(
        Assert.Throws<CrustException>(() => Parse("a: &x\n  b: *x\n"))!,
        FailureKind.BadInput, "An anchor (&name) holds an alias (*name) of itself", "test:1:4", "write out what is meant");

    [Test]
    public void A_merge_key_before_something_else_is_refused() => ErrorAssert.Says(
        Assert.Throws<CrustException>(() => Parse("a:\n  <<: 5\n"))!,
        FailureKind.BadInput, "<< doesn't stand before a mapping", "test:2:7", "merge a mapping, or quote the key");

    [TestCase("mode: \"0644\"\n")]
    [TestCase("mode: 0644\n")]
    [TestCase("text: 'it''s'\n")]
    [TestCase("script: |\n  #!/bin/sh\n  if true; then\n    echo \"hi\"\n  fi\n\n  exit 0\n")]
    [TestCase("script: |-\n  no break at its end\n")]
    [TestCase("data: !!binary aGVsbG8=\n")]
    [TestCase("a:\n- b: 1\n  c: [x, y]\n- {}\n")]
    public void What_a_user_wrote_comes_back_as_it_was(string yaml) => Assert.That(ConfigWriter.Write(Parse(yaml)), Is.EqualTo(yaml));

    [Test]
    public void What_is_written_means_the_same_when_it_is_read() =>
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(500), Prop.ForAll(Arb.From(Trees(3, anyText: true)), tree =>
            ConfigNode.IsSame(Parse(ConfigWriter.Write(tree)), tree).Label(ConfigWriter.Write(tree))));

    [Test]
    public void Merging_a_document_without_lists_of_mappings_over_itself_changes_nothing() =>
        Check.One(Config.QuickThrowOnFailure, Prop.ForAll(Arb.From(Trees(3)), tree => ConfigNode.IsSame(KairosMerge.Merge(tree, tree), tree)));

    [Test]
    public void Merging_is_associative_where_each_key_keeps_its_kind() =>
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(500), Prop.ForAll(Arb.From(Trees(3, mapLists: true)), Arb.From(Trees(3, mapLists: true)), Arb.From(Trees(3, mapLists: true)),
            (a, b, c) => ConfigNode.IsSame(KairosMerge.Merge(KairosMerge.Merge(a, b), c), KairosMerge.Merge(a, KairosMerge.Merge(b, c)))));

    [Test]
    public void Merging_over_nothing_or_nothing_over_it_changes_nothing() =>
        Check.One(Config.QuickThrowOnFailure, Prop.ForAll(Arb.From(Trees(3, mapLists: true)), tree =>
            ConfigNode.IsSame(KairosMerge.Merge(ConfigMap.Empty, tree), tree) && ConfigNode.IsSame(KairosMerge.Merge(tree, ConfigMap.Empty), tree)));

    private static ConfigNode Parse(string yaml) => ConfigReader.Read(yaml, "test")!;

    // A key's first letter is its kind, as a schema would have it: s a scalar, m a mapping, l a list of scalars, o one of mappings.
    private static Gen<ConfigNode> Trees(int depth, bool anyText = false, bool mapLists = false)
    {
        var scalar = anyText
            ? from text in Gen.Elements("a", "", " ", "\n", "\n\n", "\t", "- ", ": ", "#", "é", "'", "\"", "\\", "x\n  y", "0644", "\r", "~", "...", "---", "\u0007", "\u2028").ListOf().Select(string.Concat)
              from style in Gen.Elements(ScalarStyle.SingleQuoted, ScalarStyle.DoubleQuoted, ScalarStyle.Literal, ScalarStyle.Folded)
              select (ConfigNode)new ConfigScalar(text, style, default)
            : from text in Gen.Elements("1", "2", "a", "b", "true")
              from style in Gen.Elements(ScalarStyle.Plain, ScalarStyle.DoubleQuoted)
              select (ConfigNode)new ConfigScalar(text, style, default);
        var inner = depth == 0 ? Gen.Constant((ConfigNode)ConfigMap.Empty) : Trees(depth - 1, anyText, mapLists);
        var entry = from kind in Gen.Elements((mapLists ? "smlo" : "sml").ToCharArray())
                    from number in Gen.Choose(1, 3)
                    from value in kind switch
                    {
                        's' => scalar,
                        'm' => inner,
                        'l' => scalar.ListOf(3).Select(items => (ConfigNode)ConfigTree.List(items)),
                        _ => inner.ListOf(2).Select(items => (ConfigNode)ConfigTree.List(items)),
                    }
                    select (Key: $"{kind}{number}", Value: value);
        return entry.ListOf().Select(entries => (ConfigNode)ConfigTree.Map(entries.DistinctBy(e => e.Key).Take(4).Select(e => (e.Key, (ConfigNode?)e.Value))));
    }
}
