using Crust.Content;
using Crust.Formats;
using Crust.Recipes;
using Crust.Spec;

namespace Crust.Tests.Cli;

public sealed class CommandLineTests
{
    private static readonly CancellationToken NotCancelled = CancellationToken.None;

    [TestCase("", "There is no command", "see 'crust --help'")]
    [TestCase("bananas", "There is no command 'bananas'", "see 'crust --help'")]
    [TestCase("biuld --json", "There is no command 'biuld'", "did you mean 'build'? see 'crust --help'")]
    [TestCase("sysext biuld", "There is no command 'biuld'", "did you mean 'build'? see 'crust sysext --help'")]
    [TestCase("sysext build --bananas", "There is no option '--bananas'", "see 'crust sysext build --help'")]
    [TestCase("build --bananas", "There is no option '--bananas'", "see 'crust build --help'")]
    [TestCase("build crust.yaml --bananas", "There is no option '--bananas'", "see 'crust build --help'")]
    [TestCase("build --disksize 1G", "There is no option '--disksize'", "did you mean '--disk-size'? see 'crust build --help'")]
    [TestCase("verify --bananas x.img", "There is no option '--bananas'", "see 'crust verify --help'")]
    [TestCase("build a.yaml b.yaml", "The argument 'b.yaml' is one too many", "see 'crust build --help'")]
    [TestCase("build --name", "Required argument missing for option: '--name'", "see 'crust build --help'")]
    public async Task A_command_line_that_makes_no_sense_ends_with_2_and_says_what_where_and_what_to_do(string args, string what, string remedy)
    {
        var run = await CommandLineRun.OfAsync(args.Split(' ', StringSplitOptions.RemoveEmptyEntries));

        Assert.That(run, Is.EqualTo(new CommandLineRun(2, "", $"crust: {what}\n  where: {$"crust {args}".Trim()}\n  to do: {remedy}\n")));
    }

    [Test]
    public async Task Behind_two_dashes_a_name_may_begin_with_one()
    {
        var run = await CommandLineRun.OfAsync("verify", "--", "--bananas");

        Assert.That(run, Is.EqualTo(new CommandLineRun(2, "", "crust: The image doesn't exist\n  where: --bananas\n  to do: name an image that exists, such as images/*.vmdk\n")));
    }

    [Test]
    public async Task A_result_goes_to_standard_output_alone() =>
        Assert.That(await CommandLineRun.OfAsync("schema"), Is.EqualTo(new CommandLineRun(0, SpecSchema.ToJson(ImageFormats.ForSpec), "")));

    [Test]
    public async Task The_schema_of_recipes_has_a_command_too() =>
        Assert.That(await CommandLineRun.OfAsync("schema", "recipe"), Is.EqualTo(new CommandLineRun(0, RecipeSchema.ToJson(), "")));

    [Test]
    public async Task The_schema_of_content_has_a_command_too() =>
        Assert.That(await CommandLineRun.OfAsync("schema", "content"), Is.EqualTo(new CommandLineRun(0, ContentSchema.ToJson(), "")));

    [TestCase(FailureKind.BadInput, 2)]
    [TestCase(FailureKind.HostLacks, 3)]
    [TestCase(FailureKind.GuestFailed, 4)]
    [TestCase(FailureKind.InputOutput, 5)]
    public async Task An_error_of_the_user_ends_with_its_own_code_and_without_a_stack_trace(FailureKind kind, int code)
    {
        var run = await CommandLineRun.OfActionAsync(_ => throw new CrustException(kind, "It broke", "there", "mend it", new IOException()), NotCancelled);

        Assert.That(run, Is.EqualTo(new CommandLineRun(code, "", "crust: It broke\n  where: there\n  to do: mend it\n")));
    }

    [Test]
    public async Task The_last_words_of_a_guest_follow_the_error()
    {
        var run = await CommandLineRun.OfActionAsync(_ => throw new CrustException(FailureKind.GuestFailed, "It broke", "there", "mend it") { Detail = "one\ntwo" }, NotCancelled);

        Assert.That(run.Error, Does.EndWith("\n  to do: mend it\n  | one\n  | two\n"));
    }

    [Test]
    public async Task Cancelling_ends_with_130()
    {
        using var cancelling = new CancellationTokenSource();

        var run = await CommandLineRun.OfActionAsync(async cancellation =>
        {
            await cancelling.CancelAsync();
            cancellation.ThrowIfCancellationRequested();
        }, cancelling.Token);

        Assert.That(run, Is.EqualTo(new CommandLineRun(130, "", "crust: cancelled; no process and no half-written image is left\n")));
    }

    [Test]
    public async Task What_is_cancelled_without_the_users_doing_is_a_bug() =>
        Assert.That((await CommandLineRun.OfActionAsync(_ => throw new OperationCanceledException(), NotCancelled)).Code, Is.EqualTo(1));

    [Test]
    public async Task Any_other_exception_is_a_bug_and_told_with_its_stack_trace()
    {
        var run = await CommandLineRun.OfActionAsync(_ => throw new InvalidOperationException("oh dear"), NotCancelled);

        Assert.That(run.Code, Is.EqualTo(1));
        Assert.That(run.Error, Does.StartWith($"crust: this is a bug in Crust {CrustVersion.Current}; please report it with what follows\n")
            .And.Contain("System.InvalidOperationException: oh dear\n   at Crust.Tests.Cli.CommandLineTests."));
    }
}
