// Java's judge: nothing but the JDK. See ../README.md for the lines it reads and writes.
// The JDK reads no JSON, so the algorithm and the expiry are found with patterns; the rest is passed on as it is.

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.spec.MGF1ParameterSpec;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.PSSParameterSpec;
import java.security.spec.X509EncodedKeySpec;
import java.time.Instant;
import java.util.Base64;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

final class Peer {
    static final Pattern ALG = Pattern.compile("\"alg\"\\s*:\\s*\"([A-Za-z0-9]+)\"");
    static final Pattern EXP = Pattern.compile("\"exp\"\\s*:\\s*([0-9]+)");

    public static void main(String[] args) throws Exception {
        var in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line; (line = in.readLine()) != null; ) {
            System.out.println(answer(line.split(" ")));
        }
    }

    static String answer(String[] words) {
        try {
            var key = decode(words[2]);
            var value = new String(decode(words[3]), StandardCharsets.UTF_8);
            return "ok " + encode(words[0].equals("sign") ? sign(words[1], key, value) : verify(words[1], key, value));
        } catch (Exception e) {
            return "refused " + encode(e.toString());
        }
    }

    static String sign(String alg, byte[] key, String claims) throws GeneralSecurityException {
        var header = "{\"alg\":\"" + alg + "\",\"typ\":\"JWT\"}";
        var input = url(header.getBytes(StandardCharsets.UTF_8)) + "." + url(claims.getBytes(StandardCharsets.UTF_8));
        return input + "." + url(signature(alg, key, input));
    }

    static String verify(String alg, byte[] key, String token) throws GeneralSecurityException {
        var parts = token.split("\\.", -1);
        if (parts.length != 3 || !alg.equals(find(ALG, text(parts[0])))) {
            throw new GeneralSecurityException("another form or algorithm");
        }
        if (!holds(alg, key, parts[0] + "." + parts[1], unurl(parts[2]))) {
            throw new GeneralSecurityException("signature does not hold");
        }
        var claims = text(parts[1]);
        if (Long.parseLong(find(EXP, claims)) <= Instant.now().getEpochSecond()) {
            throw new GeneralSecurityException("expired");
        }
        return claims;
    }

    static byte[] signature(String alg, byte[] key, String input) throws GeneralSecurityException {
        if (alg.startsWith("HS")) {
            return mac(alg, key, input);
        }
        PrivateKey signer = KeyFactory.getInstance(family(alg)).generatePrivate(new PKCS8EncodedKeySpec(pem(key)));
        var signature = algorithm(alg);
        signature.initSign(signer);
        signature.update(input.getBytes(StandardCharsets.US_ASCII));
        return signature.sign();
    }

    static boolean holds(String alg, byte[] key, String input, byte[] claimed) throws GeneralSecurityException {
        if (alg.startsWith("HS")) {
            return MessageDigest.isEqual(mac(alg, key, input), claimed);
        }
        PublicKey verifier = KeyFactory.getInstance(family(alg)).generatePublic(new X509EncodedKeySpec(pem(key)));
        var signature = algorithm(alg);
        signature.initVerify(verifier);
        signature.update(input.getBytes(StandardCharsets.US_ASCII));
        return signature.verify(claimed);
    }

    static byte[] mac(String alg, byte[] key, String input) throws GeneralSecurityException {
        var name = "HmacSHA" + alg.substring(2);
        var mac = Mac.getInstance(name);
        mac.init(new SecretKeySpec(key, name));
        return mac.doFinal(input.getBytes(StandardCharsets.US_ASCII));
    }

    static String family(String alg) {
        return switch (alg.substring(0, 2)) {
            case "ES" -> "EC";
            case "Ed" -> "Ed25519";
            default -> "RSA";
        };
    }

    // The P1363 format is R and S side by side, as a token has them; without it the JDK speaks DER.
    static Signature algorithm(String alg) throws GeneralSecurityException {
        var bits = alg.substring(2);
        switch (alg.substring(0, 2)) {
            case "ES":
                return Signature.getInstance("SHA" + bits + "withECDSAinP1363Format");
            case "RS":
                return Signature.getInstance("SHA" + bits + "withRSA");
            case "PS":
                var pss = Signature.getInstance("RSASSA-PSS");
                var mask = new MGF1ParameterSpec("SHA-" + bits);
                pss.setParameter(new PSSParameterSpec("SHA-" + bits, "MGF1", mask, Integer.parseInt(bits) / 8, 1));
                return pss;
            default:
                return Signature.getInstance("Ed25519");
        }
    }

    static String find(Pattern pattern, String json) throws GeneralSecurityException {
        Matcher matcher = pattern.matcher(json);
        if (!matcher.find()) {
            throw new GeneralSecurityException("no " + pattern);
        }
        return matcher.group(1);
    }

    static byte[] pem(byte[] key) {
        var body = new String(key, StandardCharsets.US_ASCII).replaceAll("-----[A-Z ]+-----", "");
        return Base64.getMimeDecoder().decode(body);
    }

    static String url(byte[] bytes) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    static byte[] unurl(String part) throws GeneralSecurityException {
        var bytes = Base64.getUrlDecoder().decode(part);
        if (!url(bytes).equals(part)) {
            throw new GeneralSecurityException("not canonical base64url");
        }
        return bytes;
    }

    static String text(String part) throws GeneralSecurityException {
        return new String(unurl(part), StandardCharsets.UTF_8);
    }

    static String encode(String value) {
        return Base64.getEncoder().encodeToString(value.getBytes(StandardCharsets.UTF_8));
    }

    static byte[] decode(String word) {
        return Base64.getDecoder().decode(word);
    }
}
