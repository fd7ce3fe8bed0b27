using System.Text;
using Crust.Spec;
using Crust.Tools;
using Serilog.Core;

namespace Crust.Tests.Tools;

/// <summary>What a program reads and writes.</summary>
[CancelAfter(60_000)]
public sealed class ToolStreamsTests
{
    private static readonly ToolBox Tools = new(HostEnvironment.Read().SearchPath, Logger.None);

    private string _folder = null!;

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    [SetUp]
    public void SetUp() => _folder = Directory.CreateTempSubdirectory("crust-tool-").FullName;

    [TearDown]
    public void TearDown() => Directory.Delete(_folder, recursive: true);

    [Test]
    public async Task A_programs_output_can_be_taken_as_it_comes_byte_for_byte()
    {
        var taken = new MemoryStream();

        var result = await Tools.RunAsync(ToolCommand.Of("sh", "-c", "head -c 1000000 /dev/zero; printf '\\377\\000end'; echo aside >&2") with { OnOutput = bytes => taken.Write(bytes.Span) }, Cancellation);

        Assert.That(taken.ToArray().AsSpan(1_000_000).SequenceEqual((byte[])[0xff, 0, .. "end"u8]), $"{taken.Length} bytes");
        Assert.That((result.Output, result.Error), Is.EqualTo(("", "aside\n")));
    }

    [Test]
    public async Task A_program_whose_output_cannot_be_taken_is_killed_and_the_reason_told() =>
        await Assert.ThatAsync(() => Tools.RunAsync(ToolCommand.Of("yes") with { OnOutput = _ => throw new IOException("full") }, Cancellation),
            Throws.InstanceOf<IOException>().With.Message.EqualTo("full"));

    [Test]
    public async Task A_program_whose_lines_cannot_be_taken_is_killed_and_the_reason_told() =>
        await Assert.ThatAsync(() => Tools.RunAsync(ToolCommand.Of("sh", "-c", "echo line >&2; exec sleep 1000") with { OnLine = _ => throw new IOException("full") }, Cancellation),
            Throws.InstanceOf<IOException>().With.Message.EqualTo("full"));

    [Test]
    public async Task Of_much_output_the_end_is_kept()
    {
        var result = await Tools.RunAsync(ToolCommand.Of("sh", "-c", "seq 1000000; seq 1000000 >&2"), Cancellation);

        foreach (var text in new[] { result.Output, result.Error })
        {
            Assert.That(text, Does.EndWith("\n999999\n1000000\n"));
            Assert.That(text, Has.Length.InRange(1 << 20, 2 << 20));
        }
    }

    [Test]
    public async Task A_letter_that_lies_in_two_pieces_of_output_is_one()
    {
        var input = Path.Combine(_folder, "input");
        await File.WriteAllTextAsync(input, "x" + string.Concat(Enumerable.Repeat("ä€", 100_000)), Cancellation);

        var result = await Tools.RunAsync(ToolCommand.Of("cat") with { InputFile = input }, Cancellation);

        Assert.That(result.Output, Is.EqualTo(await File.ReadAllTextAsync(input, Cancellation)));
    }

    [Test]
    public async Task Lines_come_as_they_are_rewritten_and_the_last_needs_no_end()
    {
        var lines = new List<string>();

        await Tools.RunAsync(ToolCommand.Of("printf", "10 %%\\r20 %%\\r\\nnext\\n\\nlast") with { WatchOutput = true, OnLine = lines.Add }, Cancellation);

        Assert.That(lines, Is.EqualTo(new[] { "10 %", "20 %", "next", "last" }));
    }

    [TestCase(false)]
    [TestCase(true)]
    public async Task A_daemon_that_holds_a_programs_output_does_not_hold_the_program(bool isTaken)
    {
        var taken = new MemoryStream();
        var command = ToolCommand.Of("sh", "-c", "sleep 1000 & echo $!; echo error >&2; exit 3") with { SuccessCodes = [3], OnOutput = isTaken ? bytes => taken.Write(bytes.Span) : null };

        var result = await Tools.RunAsync(command, Cancellation);

        var daemon = (isTaken ? Encoding.UTF8.GetString(taken.ToArray()) : result.Output).Trim();
        Assert.That(result.Error, Is.EqualTo("error\n"));
        // It goes on: not even killing is what the program's end means for it.
        await Tools.RunAsync(ToolCommand.Of("kill", daemon), Cancellation);
    }

    [Test]
    public async Task A_daemon_that_writes_all_the_time_does_not_hold_the_program_either()
    {
        var result = await Tools.RunAsync(ToolCommand.Of("sh", "-c", "yes & exit 3") with { SuccessCodes = [3] }, Cancellation);

        Assert.That(result.Output, Does.EndWith("y\n"));
    }

    [Test]
    public async Task A_program_reads_text_or_a_file_and_an_empty_stream_otherwise()
    {
        var file = Path.Combine(_folder, "file");
        await File.WriteAllTextAsync(file, "from a file", Cancellation);
        async Task<string> ReadBy(ToolCommand command) => (await Tools.RunAsync(command, Cancellation)).Output;

        Assert.That(await ReadBy(ToolCommand.Of("cat") with { Input = "ä text" }), Is.EqualTo("ä text"));
        Assert.That(await ReadBy(ToolCommand.Of("cat") with { InputFile = file }), Is.EqualTo("from a file"));
        Assert.That(await ReadBy(ToolCommand.Of("cat")), Is.Empty);
    }

    [TestCase(false)]
    [TestCase(true)]
    public async Task A_program_need_not_read_its_input(bool isFile)
    {
        var file = Path.Combine(_folder, "file");
        await File.WriteAllTextAsync(file, new string('x', 4 << 20), Cancellation);

        var result = await Tools.RunAsync(ToolCommand.Of("head", "-c", "3") with { InputFile = isFile ? file : null, Input = isFile ? "" : new string('x', 4 << 20) }, Cancellation);

        Assert.That(result.Output, Is.EqualTo("xxx"));
    }

    [Test]
    public void Without_its_input_a_program_is_not_started()
    {
        Assert.That(() => Tools.Start(ToolCommand.Of("touch", "started") with { WorkingDirectory = _folder, InputFile = Path.Combine(_folder, "missing") }), Throws.InstanceOf<FileNotFoundException>());

        Assert.That(Directory.EnumerateFiles(_folder), Is.Empty);
    }

    [Test]
    public async Task A_program_that_cannot_be_started_harms_no_other()
    {
        Assert.That(() => Tools.Start(ToolCommand.Of("true") with { WorkingDirectory = Path.Combine(_folder, "missing") }), Throws.Exception.With.Message.Contains("setpriv"));

        Assert.That((await Tools.RunAsync(ToolCommand.Of("echo", "next"), Cancellation)).Output, Is.EqualTo("next\n"));
    }
}
