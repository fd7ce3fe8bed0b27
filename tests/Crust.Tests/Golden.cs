namespace Crust.Tests;

/// <summary>
/// Compares text that people or scripts depend on with a file under Golden/. To accept a change on purpose, run the tests
/// with CRUST_UPDATE_GOLDEN=1 and read the difference in git.
/// </summary>
internal static class Golden
{
    public static void Matches(string file, string actual)
    {
        var path = Path.Combine(Root(), "tests", "Crust.Tests", "Golden", file);
        if (Environment.GetEnvironmentVariable("CRUST_UPDATE_GOLDEN") == "1")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, actual);
        }

        Assert.That(actual, Is.EqualTo(File.ReadAllText(path)), $"differs from {path}");
    }

    /// <summary>The repository's folder.</summary>
    public static string Root()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Crust.sln")))
        {
            folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("the tests don't run inside the repository");
        }

        return folder;
    }
}
