import java.io.BufferedReader;
import java.io.File;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.logging.LogManager;
import org.verapdf.gf.foundry.VeraGreenfieldFoundryProvider;
import org.verapdf.pdfa.Foundries;
import org.verapdf.pdfa.PDFAParser;
import org.verapdf.pdfa.PDFAValidator;
import org.verapdf.pdfa.flavours.PDFAFlavour;
import org.verapdf.pdfa.results.TestAssertion;
import org.verapdf.pdfa.results.ValidationResult;

/** Reads paths of PDF files, one a line; answers each with what veraPDF says of it, in lines of fields parted by tabs, and an empty line. */
public class Oracle {
    private static final List<PDFAFlavour> PROFILES = List.of(PDFAFlavour.PDFA_3_A, PDFAFlavour.PDFUA_1);
    private static final int MOST_FAILURES = 5; // of one rule

    public static void main(String[] arguments) throws Exception {
        PrintStream answers = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        System.setOut(System.err);
        LogManager.getLogManager().reset();
        VeraGreenfieldFoundryProvider.initialise();
        BufferedReader paths = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String path = paths.readLine(); path != null; path = paths.readLine()) {
            for (PDFAFlavour profile : PROFILES) {
                ask(answers, new File(path), profile);
            }
            answers.println();
        }
    }

    private static void ask(PrintStream answers, File file, PDFAFlavour profile) {
        try (PDFAParser parser = Foundries.defaultInstance().createParser(file, profile);
                PDFAValidator validator = Foundries.defaultInstance().createValidator(profile, MOST_FAILURES, false, true, false)) {
            ValidationResult result = validator.validate(parser);
            answers.println(line("checked", profile, String.valueOf(result.getTotalAssertions()), String.valueOf(result.isCompliant())));
            for (TestAssertion failure : result.getTestAssertions()) {
                String rule = failure.getRuleId().getClause() + "-" + failure.getRuleId().getTestNumber();
                answers.println(line("failed", profile, rule, failure.getMessage() + " @ " + failure.getLocation().getContext()));
            }
        } catch (Throwable problem) {
            answers.println(line("failed", profile, "not-read", String.valueOf(problem)));
        }
    }

    private static String line(String kind, PDFAFlavour profile, String... rest) {
        return (kind + "\t" + profile.getId() + "\t" + String.join("\t", rest)).replaceAll("[\r\n]+", " ");
    }
}
