using System.Collections.Immutable;
using System.IO.Enumeration;
using System.Text.RegularExpressions;

namespace Crust.Canvos.Dockerfiles;

/// <summary>Reads a COPY line: which files of the context it takes, and where they go.</summary>
/// <param name="context">The folder that sources are named from.</param>
/// <param name="target">Makes a path in the image absolute.</param>
internal sealed partial class DockerfileCopy(string path, string context, DockerfileWords words, IReadOnlyDictionary<string, string> known, Func<string, string> target)
{
    /// <exception cref="CrustException">A source isn't there or lies outside, or an option can't be done.</exception>
    public IEnumerable<DockerStep> Of(DockerLine line)
    {
        var list = DockerfileWords.List(OptionPattern().Replace(line.Text, ""));
        var all = words.Split(line.Text);
        var owner = (0, 0);
        UnixFileMode? mode = null;
        foreach (var option in all.TakeWhile(word => word.StartsWith("--", StringComparison.Ordinal)))
        {
            switch (option.Split('=', 2))
            {
                case ["--link", ..]:
                    break;
                case ["--chown", var value]:
                    owner = OwnerOf(line, words.Expand(value, known));
                    break;
                case ["--chmod", var value]:
                    mode = ModePattern().IsMatch(value) ? (UnixFileMode)Convert.ToInt32(value, 8)
                        : throw Bad(line, $"'{Sanitizing.CleanText.Line(value, 20)}' isn't a file's mode", "write octal digits: --chmod=755");
                    break;
                case ["--from", ..]:
                    throw Bad(line, "COPY --from can't be done: there are no other stages", "put the files into the folder, and copy them from there");
                default:
                    throw Bad(line, $"COPY {Sanitizing.CleanText.Line(option, 40)} can't be done", "take the option out");
            }
        }

        ImmutableArray<string> given = [.. (list ?? [.. all.SkipWhile(word => word.StartsWith("--", StringComparison.Ordinal))]).Select(word => list is null
            ? words.Expand(word, known) : word)];
        if (given.Length < 2)
        {
            throw Bad(line, "COPY needs a source and a target", "write COPY SOURCE… TARGET");
        }

        var to = target(given[^1]);
        var sources = ImmutableArray.CreateBuilder<string>();
        // Here-documents stand among the sources by their names.
        var documents = new Queue<HereDocument>(line.Documents);
        var isFolder = given[^1].EndsWith('/') || given[^1] is "." || given.Length > 2;
        foreach (var source in given[..^1])
        {
            if (source.StartsWith("<<", StringComparison.Ordinal) && documents.TryDequeue(out var document))
            {
                var text = document.Expands ? words.ExpandText(document.Content, known) : document.Content;
                yield return new DockerStep.Write(isFolder ? $"{to.TrimEnd('/')}/{document.Name}" : to, text, owner, mode) { Where = At(line) };
            }
            else
            {
                sources.AddRange(Find(line, source));
            }
        }

        if (sources.Count > 1 && !isFolder)
        {
            throw Bad(line, $"COPY takes {sources.Count} files to one name", $"write {given[^1]}/ for a folder");
        }

        if (sources.Count > 0)
        {
            yield return new DockerStep.Copy(sources.ToImmutable(), to, isFolder, owner, mode) { Where = At(line) };
        }
    }

    private ImmutableArray<string> Find(DockerLine line, string source)
    {
        // A leading slash is the context's own.
        var full = System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(source.TrimStart('/'), context));
        var root = System.IO.Path.TrimEndingDirectorySeparator(context);
        if (full != root && !full.StartsWith(root + "/", StringComparison.Ordinal))
        {
            throw Bad(line, $"'{Sanitizing.CleanText.Line(source, 100)}' lies outside the Dockerfile's folder", "put the files into the folder");
        }

        if (System.IO.Path.Exists(full))
        {
            return [full];
        }

        var (folder, name) = (System.IO.Path.GetDirectoryName(full)!, System.IO.Path.GetFileName(full));
        ImmutableArray<string> found = name.AsSpan().ContainsAny('*', '?') && Directory.Exists(folder)
            ? [.. Directory.EnumerateFileSystemEntries(folder).Where(entry => FileSystemName.MatchesSimpleExpression(name, System.IO.Path.GetFileName(entry),
                ignoreCase: false)).Order(StringComparer.Ordinal)] : [];
        return found.IsEmpty ? throw Bad(line, $"There is no '{Sanitizing.CleanText.Line(source, 100)}' in the Dockerfile's folder",
            "put it there, or take the line out") : found;
    }

    private (int, int) OwnerOf(DockerLine line, string value) =>
        value.Split(':') is var parts && parts.Select(part => part == "root" ? 0 : int.TryParse(part, out var number) && number >= 0 ? number : -1).ToList() is var ids
            && ids.All(id => id >= 0) && ids.Count <= 2
            ? (ids[0], ids[^1])
            : throw Bad(line, $"Whose number '{Sanitizing.CleanText.Line(value, 40)}' is, only the base knows",
                "write numbers, such as --chown=1000:1000; or RUN chown behind it");

    private string At(DockerLine line) => $"{path}:{line.Number}, {line.Keyword}";

    private CrustException Bad(DockerLine line, string what, string remedy) => new(FailureKind.BadInput, what, At(line), remedy);

    [GeneratedRegex(@"\A(--\S+\s+)*")]
    private static partial Regex OptionPattern();

    [GeneratedRegex(@"\A[0-7]{3,4}\z")]
    private static partial Regex ModePattern();
}
