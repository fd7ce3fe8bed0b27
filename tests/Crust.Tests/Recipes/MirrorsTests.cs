using Crust.Recipes.Sources;

namespace Crust.Tests.Recipes;

public sealed class MirrorsTests
{
    [TestCase("https://example.org/v1/x", "https://two.example/v1/x")]
    [TestCase("https://example.org/deep/x", "http://three.example/d/x")]
    [TestCase("https://elsewhere.org/a/x%2By?q=1", "https://one.example/all/elsewhere.org/a/x%2By?q=1")]
    public void The_longest_beginning_in_the_map_of_mirrors_counts_and_the_rest_goes_to_the_one_for_all(string upstream, string expected)
    {
        var mirrors = Mirrors.Parse("mirrors:\n  https://example.org/: https://two.example/\n  https://example.org/deep/: http://three.example/d/\n", "m.yaml").WithAll("https://one.example/all");

        Assert.That(mirrors.Of(new Uri(upstream)).AbsoluteUri, Is.EqualTo(expected));
        Assert.That(Mirrors.None.Of(new Uri(upstream)).AbsoluteUri, Is.EqualTo(upstream));
    }

    [TestCase("mirors: {}", "m.yaml:1:1, mirrors", "no mirrors")]
    [TestCase("mirrors: { http://a/: https://b/ }", "m.yaml:1:23, mirrors.http://a/", "no beginning")]
    [TestCase("mirrors: { https://a/: https://b/c }", "m.yaml:1:24, mirrors.https://a/", "slash at its end")]
    [TestCase("mirrors: { https://a/: file:///b/ }", "m.yaml:1:24, mirrors.https://a/", "isn't an http")]
    public void A_map_of_mirrors_that_is_wrong_is_refused_with_its_place(string text, string where, string what)
    {
        var error = Assert.Throws<CrustException>(() => Mirrors.Parse(text, "m.yaml"))!;
        Assert.That((error.Where, error.What.Contains(what)), Is.EqualTo((where, true)), error.Message);
    }
}
