using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Crust.Bases;
using Crust.Spec;

namespace Crust.Canvos.Dockerfiles;

/// <summary>
/// Reads a Dockerfile that changes a base which is given. Its RUN, COPY, ENV, ARG, WORKDIR, USER and SHELL lines become steps; what can't be done to the root of a
/// machine is refused with
/// its line, never passed over.
/// </summary>
internal sealed partial class DockerfileReader
{
    private static readonly ImmutableDictionary<string, (string Why, string Remedy)> Refused = ImmutableDictionary<string, (string, string)>.Empty
        .Add("CMD", ("a machine starts by its init, not by an image's command", "take the line out; a service starts by a unit of systemd"))
        .Add("ENTRYPOINT", ("a machine starts by its init, not by an image's command", "take the line out; a service starts by a unit of systemd"))
        .Add("HEALTHCHECK", ("nobody checks a machine by it", "take the line out; a service is watched by its unit of systemd"))
        .Add("VOLUME", ("a machine's file systems are its own", "take the line out; what has to persist is mounted by user-data"))
        .Add("ONBUILD", ("nothing is built from the result", "take the line out"))
        .Add("ADD", ("it fetches, or unpacks an archive", "use COPY; fetch and unpack with RUN, and check what was fetched"));

    // They say something of a container, and change nothing of a root.
    private static readonly ImmutableArray<string> WithoutEffect = ["LABEL", "EXPOSE", "STOPSIGNAL", "MAINTAINER"];

    private static readonly ImmutableArray<string> Keywords = ["FROM", "ARG", "ENV", "RUN", "COPY", "ADD", "WORKDIR", "USER", "SHELL"];

    private readonly string _path;
    private readonly string _context;
    private readonly DockerfileWords _words;
    private readonly IReadOnlyDictionary<string, string> _given;
    private readonly List<string> _args = [];
    private readonly List<DockerStep> _steps = [];
    private ImmutableSortedDictionary<string, string> _argValues = ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal);
    private ImmutableSortedDictionary<string, string> _env = ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal);
    private ImmutableArray<string> _shell = ["/bin/sh", "-c"];
    private string _folder = "/";
    private string? _user;
    private bool _hasFrom;

    private DockerfileReader(string path, string context, char escape, IReadOnlyDictionary<string, string> given) =>
        (_path, _context, _words, _given) = (path, context, new DockerfileWords(escape), given);

    /// <summary>Reads a file; its folder is the context.</summary>
    /// <param name="given">Values of ARGs, by their names.</param>
    /// <exception cref="CrustException">A line can't be understood, or can't be done.</exception>
    public static Dockerfile Read(string path, IReadOnlyDictionary<string, string> given) =>
        Parse(UserFile.Read(path, path, "Dockerfile"), path, System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(path))!, given);

    /// <exception cref="CrustException">As above.</exception>
    public static Dockerfile Parse(string text, string path, string context, IReadOnlyDictionary<string, string> given)
    {
        var lines = DockerfileLines.Of(text, path, out var escape);
        var reader = new DockerfileReader(path, context, escape, given);
        foreach (var line in lines)
        {
            try
            {
                reader.Read(line);
            }
            catch (FormatException e)
            {
                throw reader.Bad(line, $"The line can't be understood: {e.Message}", "write $NAME, ${NAME} or ${NAME:-value}");
            }
        }

        return new Dockerfile(path, [.. reader._steps], [.. reader._args.Distinct()], reader._env);
    }

    // An ENV stands over an ARG of the same name, wherever it stands.
    private ImmutableSortedDictionary<string, string> Known => _argValues.SetItems(_env);

    private void Read(DockerLine line)
    {
        switch (line.Keyword)
        {
            case "FROM":
                ReadFrom(line);
                break;
            case "ARG":
                foreach (var word in Words(line))
                {
                    var (name, preset) = Pair(word);
                    _args.Add(name);
                    _argValues = _given.TryGetValue(name, out var value) ? _argValues.SetItem(name, value)
                        : preset is not null ? _argValues.SetItem(name, _words.Expand(preset, Known))
                        : _argValues;
                }

                break;
            case "ENV":
                ReadEnv(line);
                break;
            case "WORKDIR":
                _folder = Under(_words.Expand(line.Text, Known), line);
                _steps.Add(new DockerStep.Folder(_folder) { Where = At(line) });
                break;
            case "USER":
                ReadUser(line);
                break;
            case "SHELL":
                _shell = DockerfileWords.List(line.Text) ?? throw Bad(line, "SHELL takes a list", "write SHELL [\"/bin/bash\", \"-c\"]");
                break;
            case "RUN":
                ReadRun(line);
                break;
            case "ADD" when Words(line).Any(IsMoreThanFile):
                throw Bad(line, $"ADD can't be done: {Refused["ADD"].Why}", Refused["ADD"].Remedy);
            case "ADD" or "COPY":
                _steps.AddRange(new DockerfileCopy(_path, _context, _words, Known, text => Under(text, line)).Of(line));
                break;
            case var keyword when WithoutEffect.Contains(keyword):
                break;
            case var keyword when Refused.TryGetValue(keyword, out var refused):
                throw Bad(line, $"{keyword} can't be done: {refused.Why}", refused.Remedy);
            case var keyword:
                throw Bad(line, $"There is no instruction {Sanitizing.CleanText.Line(keyword, 40)}", Nearest.Suggest(keyword, Keywords));
        }
    }

    // ADD of a plain file or a folder does what COPY does.
    private bool IsMoreThanFile(string word)
    {
        var expanded = _words.Expand(word, Known);
        return expanded.Contains("://", StringComparison.Ordinal) || expanded.StartsWith("git@", StringComparison.Ordinal) || expanded.StartsWith("--", StringComparison.Ordinal)
            || (System.IO.Path.GetFullPath(expanded.TrimStart('/'), _context) is var path && File.Exists(path) && (Compression.Of(path) is not null || TarSign.IsIn(path)));
    }

    // CanvOS names the base that it builds on by an ARG of its own.
    private void ReadFrom(DockerLine line)
    {
        if (_hasFrom || !BasePattern().IsMatch(line.Text) || _steps.Count > 0)
        {
            throw Bad(line, $"FROM {Sanitizing.CleanText.Line(line.Text, 100)} can't be done: the file's lines change the one base that is given",
                "write FROM $BASE or leave it out; name the base in BASE_IMAGE; build other stages once, and take their files with COPY from the folder");
        }

        _hasFrom = true;
    }

    private void ReadEnv(DockerLine line)
    {
        var words = Words(line);
        if (!words[0].Contains('='))
        {
            // The older form, with one variable: all behind its name is the value.
            var value = line.Text[words[0].Length..].Trim();
            _env = value.Length > 0 ? _env.SetItem(words[0], _words.Expand(value, Known))
                : throw Bad(line, $"ENV gives {words[0]} no value", $"write ENV {words[0]}=value");
            return;
        }

        // All of a line see what the lines above have set.
        var known = Known;
        foreach (var word in words)
        {
            var (name, value) = Pair(word);
            _env = _env.SetItem(name, _words.Expand(value ?? throw Bad(line, $"ENV gives {name} no value",
                $"write ENV {name}=value; a value with blanks stands in quotes"), known));
        }
    }

    private void ReadUser(DockerLine line)
    {
        var user = _words.Expand(line.Text, Known).Split(':')[0];
        if (!UserPattern().IsMatch(user))
        {
            throw Bad(line, $"'{Sanitizing.CleanText.Line(user, 60)}' is no account's name", "write USER and a name of the base, or root");
        }

        _user = user is "root" or "0" ? null : user;
    }

    private void ReadRun(DockerLine line)
    {
        if (line.Text.StartsWith("--", StringComparison.Ordinal))
        {
            throw Bad(line, $"RUN {line.Text.Split(' ', '=')[0]} can't be done: the command runs in a machine, not in BuildKit",
                "take the option out; give files with COPY, and secrets with user-data");
        }

        if (DockerfileWords.List(line.Text) is { } list)
        {
            Add(list);
            return;
        }

        if (line.Text.Length == 0)
        {
            throw Bad(line, "RUN has no command", "write the command behind it");
        }

        if (line.Documents is [var only] && DockerfileLines.IsAlone(line.Text))
        {
            // One that names its interpreter is a program.
            Add([.. _shell, only.Content.StartsWith("#!", StringComparison.Ordinal)
                ? $"f=$(mktemp) && cat >\"$f\" <<'{only.Name}' && chmod 700 \"$f\" && \"$f\"; s=$?; rm -f \"$f\"; exit $s\n{only.Content}{only.Name}\n" : only.Content]);
            return;
        }

        Add([.. _shell, line.Text + string.Concat(line.Documents.Select(document => $"\n{document.Content}{document.Name}")) + (line.Documents.IsEmpty ? "" : "\n")]);

        void Add(ImmutableArray<string> command) => _steps.Add(new DockerStep.Run(command, _folder, _user, Known) { Where = At(line) });
    }

    private ImmutableArray<string> Words(DockerLine line) =>
        _words.Split(line.Text) is { IsEmpty: false } words ? words : throw Bad(line, $"{line.Keyword} has nothing behind it", "write a name, or NAME=value");

    private static (string Name, string? Value) Pair(string word) => word.IndexOf('=', StringComparison.Ordinal) is > 0 and var at ? (word[..at], word[(at + 1)..])
        : (word, null);

    private string Under(string path, DockerLine line) => System.IO.Path.GetFullPath(path, _folder) is var full && full.Length > 0 && path.Length > 0
        && !path.Any(char.IsControl) ? full
        : throw Bad(line, "The path is empty, or has control characters", "write a path in the image");

    private string At(DockerLine line) => $"{_path}:{line.Number}, {line.Keyword}";

    private CrustException Bad(DockerLine line, string what, string remedy) => new(FailureKind.BadInput, what, At(line), remedy);

    [GeneratedRegex(@"\A(--platform=\S+\s+)?(\$BASE|\$\{BASE\})(\s+[Aa][Ss]\s+\S+)?\z", RegexOptions.ExplicitCapture)]
    private static partial Regex BasePattern();

    [GeneratedRegex(@"\A[A-Za-z0-9_][A-Za-z0-9_.-]{0,31}\z")]
    private static partial Regex UserPattern();
}
