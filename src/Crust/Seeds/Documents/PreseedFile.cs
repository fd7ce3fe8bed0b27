using System.Collections.Immutable;

namespace Crust.Seeds.Documents;

/// <param name="Owner">Whose question it is: `d-i`, or a package.</param>
/// <param name="Type">The question's type; empty if it isn't there.</param>
/// <param name="Value">The answer; empty for none.</param>
internal sealed record PreseedAnswer(string Owner, string Question, string Type, string Value, Place Place)
{
    /// <summary>Whether its line was meant to go on, and doesn't: a blank stands behind the backslash.</summary>
    public bool IsCutOff { get; init; }
}

/// <summary>Debian's preseed file (Debian's installation guide, appendix B.3): a line an answer, `owner question type value`; a backslash at its end continues it.</summary>
internal sealed class PreseedFile
{
    private readonly string _text;

    private PreseedFile(string text, ImmutableArray<PreseedAnswer> answers) => (_text, Answers) = (text, answers);

    /// <summary>Its answers, in their order. Of several to one question, the last counts.</summary>
    public ImmutableArray<PreseedAnswer> Answers { get; }

    /// <param name="file">What the user calls it.</param>
    /// <exception cref="CrustException">It has no answer.</exception>
    public static PreseedFile Read(string text, string file)
    {
        var answers = ImmutableArray.CreateBuilder<PreseedAnswer>();
        var lines = text.Split('\n');
        for (var i = 0; i < lines.Length; i++)
        {
            var place = new Place(file, i + 1, lines[i].Length - lines[i].TrimStart().Length + 1);
            var line = lines[i].Trim();
            if (line.Length == 0 || line[0] == '#')
                continue;

            // Only a backslash that is the last of its line continues it.
            for (; lines[i].TrimEnd('\r').EndsWith('\\') && i + 1 < lines.Length; i++)
                line = $"{line[..^1].TrimEnd()} {lines[i + 1].Trim()}";

            var parts = line.Split([' ', '\t'], 4, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            string Part(int at) => at < parts.Length ? parts[at] : "";
            answers.Add(new PreseedAnswer(Part(0), Part(1), Part(2), Part(3), place) { IsCutOff = line.EndsWith('\\') && i + 1 < lines.Length });
        }

        return answers.Count == 0
            ? throw new CrustException(FailureKind.BadInput, "This is no preseed file: it answers no question", $"{file}:1:1",
                "write answers into it, such as: d-i debian-installer/locale string en_US.UTF-8")
            {
                Rule = "preseed-line",
            }
            : new PreseedFile(text, answers.ToImmutable());
    }

    /// <summary>The last answer to a question; null for none.</summary>
    public PreseedAnswer? AnswerTo(string question) => Answers.LastOrDefault(answer => answer.Question == question);

    /// <summary>The file with further answers at its end.</summary>
    public string With(ImmutableArray<string> answers) => answers.IsEmpty
        ? _text
        : $"{_text}{(_text.EndsWith('\n') ? "" : "\n")}# Added by Crust.\n{string.Join('\n', answers)}\n";
}
