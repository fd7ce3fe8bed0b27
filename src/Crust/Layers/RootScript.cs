using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Crust.Trees;

namespace Crust.Layers;

/// <summary>
/// Steps as one script of the appliance's own shell, and the files that they bring: these lie in a folder of the root from where the script moves them to their places, between one command and the next. So
/// many steps need one machine.
/// </summary>
/// <param name="Text">The script; builder/appliance/jobs/layer puts busybox where it looks for it.</param>
/// <param name="Files">What has to be in the root before it runs.</param>
internal sealed partial record RootScript(string Text, FileTree Files)
{
    /// <summary>The folder in the root with the files of all scripts; what a script brings is gone from it when the script has ended well.</summary>
    public const string Folder = ".crust-steps";

    private const string Failure = "crust: failed in step ";

    private const string Functions = """
        #!/run/crust/busybox sh
        b=/run/crust/busybox

        failed() {
            echo "crust: failed in step $1"
            exit "$2"
        }

        # FOLDER: moves what is in it to its places, as its list says.
        place() {
            while IFS='	' read -r kind mode owner path target; do
                case $kind in
                d) [ -d "/$path" ] || { $b mkdir "/$path" && $b chmod "$mode" "/$path" && $b chown "$owner" "/$path"; } ;;
                f) $b rm -f "/$path" && $b mv "$1/$path" "/$path" ;;
                l) $b rm -f "/$path" && $b ln -s "$target" "/$path" && $b chown -h "$owner" "/$path" ;;
                esac || return 1
            done <"$1.list"
        }


        """;

    /// <param name="number">Tells it from other scripts of the same root.</param>
    /// <exception cref="CrustException">A step's files can't be put into a root.</exception>
    public static RootScript Of(ImmutableArray<RootStep> steps, int number = 0)
    {
        var text = new StringBuilder(Functions);
        var own = string.Create(CultureInfo.InvariantCulture, $"{Folder}/{number}");
        var files = FileTree.Empty.With(TreeEntry.Folder(Folder), TreeEntry.Folder(own));
        foreach (var (i, step) in steps.Index())
        {
            var place = i + 1;
            text.Append(CultureInfo.InvariantCulture, $"echo {Quoted($"step {place} of {steps.Length}: {step.Shown}")}\n");
            switch (step)
            {
                case RootStep.Command command:
                    text.Append("(\n");
                    foreach (var (name, value) in command.Environment)
                    {
                        text.Append($"export {name}={Quoted(value)}\n");
                    }

                    text.Append($"cd {Quoted(command.WorkFolder)} || exit\n");
                    text.Append($"exec {(command.User is null ? "" : $"runuser -u {Quoted(command.User)} -- ")}{string.Join(' ', command.Arguments.Select(Quoted))}\n");
                    text.Append(CultureInfo.InvariantCulture, $") || failed {place} $?\n");
                    break;
                case RootStep.Files brought:
                    var folder = string.Create(CultureInfo.InvariantCulture, $"{own}/{place}");
                    files = files.With([.. brought.Tree.Entries.Where(entry => entry.Kind is EntryKind.File).Select(entry => entry with { Path = $"{folder}/{entry.Path}" }),
                        TreeEntry.File($"{folder}.list", TreeContent.Of(ListOf(brought)))]);
                    text.Append(CultureInfo.InvariantCulture, $"place '/{folder}' || failed {place} $?\n");
                    break;
            }
        }

        return new RootScript(text.Append($"$b rm -rf '/{own}'\n").ToString(), files);
    }

    /// <summary>The step that failed, of what the script printed; null where it doesn't say.</summary>
    public static RootStep? FailedOf(ImmutableArray<RootStep> steps, string? printed) =>
        printed is not null && FailurePattern().Matches(printed) is [.., var match] && int.TryParse(match.Groups["number"].Value, CultureInfo.InvariantCulture, out var number)
            && number >= 1 && number <= steps.Length ? steps[number - 1] : null;

    private static string ListOf(RootStep.Files step)
    {
        var list = new StringBuilder();
        foreach (var entry in step.Tree.Entries)
        {
            if (entry.Path.Any(char.IsControl) || entry.LinkTarget.Any(char.IsControl))
            {
                throw new CrustException(FailureKind.BadInput, $"A file's name has control characters: {Sanitizing.CleanText.Line(entry.Path, 100)}", step.Where, "give the file another name");
            }

            var kind = entry.Kind switch
            {
                EntryKind.File => 'f',
                EntryKind.Folder => 'd',
                EntryKind.Symlink => 'l',
                _ => throw new CrustException(FailureKind.BadInput, $"This is no file, folder or link: {Sanitizing.CleanText.Line(entry.Path, 100)}", step.Where, "leave it out"),
            };
            list.Append(CultureInfo.InvariantCulture, $"{kind}\t{Convert.ToString((int)entry.Mode, 8)}\t{entry.Uid}:{entry.Gid}\t{entry.Path}\t{entry.LinkTarget}\n");
        }

        return list.ToString();
    }

    private static string Quoted(string text) => $"'{text.Replace("'", "'\\''", StringComparison.Ordinal)}'";

    [GeneratedRegex("^" + Failure + @"(?<number>\d+)$", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex FailurePattern();
}
