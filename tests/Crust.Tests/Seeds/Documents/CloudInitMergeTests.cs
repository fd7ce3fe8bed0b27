using Crust.Seeds.Documents;
using Crust.Tools;

namespace Crust.Tests.Seeds.Documents;

/// <summary>cloud-init's own code is the judge, where it is installed.</summary>
public sealed class CloudInitMergeTests
{
    // As cloud-init's part handler does it, and nothing else.
    private const string Judge = """
        import importlib.util, sys, yaml
        from cloudinit import mergers
        under, over = (yaml.safe_load(text) for text in sys.stdin.read().split('\0'))
        ways = mergers.dict_extract_mergers(over) or mergers.string_extract_mergers("dict(replace)+list()+str()")
        print(yaml.safe_dump(mergers.construct(ways).merge(under, over), sort_keys=False, width=10000), end="")
        """;

    private static readonly string[] Ways =
    [
        "",
        "merge_how: list(append)+dict(recurse_list)+str()\n",
        "merge_how: list(prepend)+dict(recurse_array, no_replace)+str(append)\n",
        "merge_how: dict(recurse_array,recurse_str)+list(recurse_dict)+str(append)\n",
        "merge_how: dict(recurse_list)+list(no_replace)+str()\n",
        "merge_how: dict(allow_delete)+list()+str()\n",
        "merge_how: dict(replace)\n",
        "merge_how: list(append)\n",
        "merge_type: 'list(append) + dict(recurse_list) + str()'\n",
        "merge_how:\n- name: list\n  settings: [append]\n- name: dict\n  settings: [no_replace, recurse_list]\n",
        "merge_how:\n- [list, append]\n- [dict, recurse_list]\n",
        "merge_how: ''\n",
    ];

    private static readonly (string Under, string Over)[] Documents =
    [
        ("a: 1\nb: {c: [1, 2, 3], d: x}\n", "b: {c: [4], e: y}\nf: 2\n"),
        ("users: [{name: a, groups: [x]}, b]\n", "users: [{name: c}]\n"),
        ("a: text\nb: [one]\nc: {x: 1}\n", "a: more\nb: word\nc: null\n"),
        ("a: {b: {c: {d: one, e: [1]}}}\n", "a: {b: {c: {d: two, e: [2, 3]}}}\n"),
        ("a: [[1, 2], {b: x}, text]\n", "a: [[3], {b: y, c: z}, more, last]\n"),
        ("a: 5\nb: true\n", "a: [1]\nb: {c: 1}\n"),
    ];

    [Test]
    public async Task It_merges_as_cloud_init_does([ValueSource(nameof(Ways))] string how)
    {
        Assume.That(File.Exists("/usr/lib/python3/dist-packages/cloudinit/mergers/__init__.py"), "cloud-init isn't installed");
        foreach (var (under, over) in Documents)
        {
            var judged = await SeedSample.Tools.RunAsync(ToolCommand.Of("python3", "-c", Judge) with { Input = $"{under}\0{how}{over}" }, CancellationToken.None);

            Assert.That(ConfigNode.IsSame(Merge(under, how + over), Read(judged.Output)), Is.True,
                $"{under}\nunder\n{how}{over}\ngives\n{ConfigWriter.Write(Merge(under, how + over))}\nand by cloud-init\n{judged.Output}");
        }
    }

    [TestCase("merge_how: list(appnd\n", "'list(appnd' doesn't say how to merge")]
    [TestCase("merge_how: lists(append)\n", "cloud-init merges dict, list and str, not 'lists'")]
    [TestCase("merge_how: [{name: list}]\n", "This doesn't say how to merge")]
    public void A_way_that_cloud_init_does_not_know_is_told(string over, string what)
    {
        var error = Assert.Throws<CrustException>(() => Merge("a: 1\n", over))!;

        Assert.That((error.Kind, error.What), Is.EqualTo((FailureKind.BadInput, what)));
        Assert.That(error.Where, Does.StartWith("test:1:"));
    }

    private static ConfigMap Merge(string under, string over) => CloudInitMerge.Merge((ConfigMap)Read(under), (ConfigMap)Read(over));

    private static ConfigNode Read(string yaml) => ConfigReader.Read(yaml, "test")!;
}
