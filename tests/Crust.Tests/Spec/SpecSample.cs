using System.Collections.Immutable;
using Crust.Spec;

namespace Crust.Tests.Spec;

/// <summary>A folder with a spec file, and ways to read it.</summary>
internal sealed class SpecSample : IDisposable
{
    public static readonly ImmutableArray<SpecFormat> Formats = [new("img"), new("qcow2"), new("vmdk")];

    public string Folder { get; } = Directory.CreateTempSubdirectory("crust-spec-").FullName;

    public string Write(string name, string content)
    {
        var path = Path.Combine(Folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, content);
        return path;
    }

    public BuildSpec Read(string? yaml, (string Name, string Value)[]? variables = null, (string Key, string[] Values)[]? options = null)
    {
        if (yaml is not null)
            Write("crust.yaml", yaml);
        return ReadFile(yaml is null ? null : "crust.yaml", variables, options);
    }

    public BuildSpec ReadFile(string? file, (string Name, string Value)[]? variables = null, (string Key, string[] Values)[]? options = null) =>
        new SpecReader(Formats).Read(new SpecSources
        {
            File = file,
            CurrentFolder = Folder,
            Environment = (variables ?? []).ToImmutableDictionary(v => v.Name, v => v.Value),
            Options = (options ?? []).ToDictionary(o => o.Key, o => (IReadOnlyList<string>)o.Values),
        });

    public CrustException Fail(string? yaml, (string Name, string Value)[]? variables = null, (string Key, string[] Values)[]? options = null) =>
        Assert.Throws<CrustException>(() => Read(yaml, variables, options))!;

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}

/// <summary>An error says what is wrong, where, and what to do.</summary>
internal static class ErrorAssert
{
    public static void Says(CrustException error, FailureKind kind, string what, string where, string remedy)
    {
        using (Assert.EnterMultipleScope())
        {
            Assert.That(error.What, Is.EqualTo(what));
            Assert.That(error.Where, Is.EqualTo(where));
            Assert.That(error.Remedy, Is.EqualTo(remedy));
            Assert.That(error.Kind, Is.EqualTo(kind));
        }
    }
}
