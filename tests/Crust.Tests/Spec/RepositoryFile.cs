namespace Crust.Tests.Spec;

/// <summary>
/// Files of the repository that must agree with the code. With CRUST_UPDATE_GOLDEN=1 the tests write them in place of
/// comparing.
/// </summary>
internal static class RepositoryFile
{
    public static string PathOf(string name)
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Crust.sln")))
            folder = folder.Parent ?? throw new InvalidOperationException("The tests don't run inside the repository.");
        return Path.Combine(folder.FullName, name);
    }

    public static void MustEqual(string name, string content)
    {
        var path = PathOf(name);
        if (Environment.GetEnvironmentVariable("CRUST_UPDATE_GOLDEN") == "1")
            File.WriteAllText(path, content);
        Assert.That(File.ReadAllText(path), Is.EqualTo(content), $"{name} is out of date: run the tests once with CRUST_UPDATE_GOLDEN=1, and look at the difference");
    }

    /// <summary>The part of a file between two HTML comments must be as given.</summary>
    public static void MustHold(string name, string mark, string content)
    {
        var (begin, end) = ($"<!-- {mark} -->\n", $"<!-- end of {mark} -->");
        var text = File.ReadAllText(PathOf(name));
        var from = text.IndexOf(begin, StringComparison.Ordinal) + begin.Length;
        var to = text.IndexOf(end, StringComparison.Ordinal);
        Assert.That(from, Is.GreaterThanOrEqualTo(begin.Length).And.LessThanOrEqualTo(to), $"{name} has no part between '{begin.Trim()}' and '{end}'");
        MustEqual(name, text[..from] + content + text[to..]);
    }
}
