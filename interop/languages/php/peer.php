<?php
// PHP's judge: nothing but PHP's own hash, openssl and json. See ../README.md for the lines it reads and writes.

const DIGESTS = ['256' => OPENSSL_ALGO_SHA256, '384' => OPENSSL_ALGO_SHA384, '512' => OPENSSL_ALGO_SHA512];
const EC_HALF = ['256' => 32, '384' => 48, '512' => 66]; // RFC 7518, section 3.4: bytes of R and of S

function base64url(string $bytes): string {
    return rtrim(strtr(base64_encode($bytes), '+/', '-_'), '=');
}

function unbase64url(string $text): string {
    $bytes = base64_decode(strtr($text, '-_', '+/'), true);
    if ($bytes === false || base64url($bytes) !== $text) {
        throw new Exception('not base64url');
    }
    return $bytes;
}

// OpenSSL writes ECDSA signatures as DER: SEQUENCE { INTEGER r, INTEGER s }; a token has r and s side by side.
function derToRaw(string $der, int $half): string {
    $at = ord($der[1]) & 0x80 ? 3 : 2; // P-521's SEQUENCE needs a second length byte
    $raw = '';
    foreach (['r', 's'] as $_) {
        $length = ord($der[$at + 1]);
        $raw .= str_pad(ltrim(substr($der, $at + 2, $length), "\0"), $half, "\0", STR_PAD_LEFT);
        $at += 2 + $length;
    }
    return $raw;
}

function rawToDer(string $raw, int $half): string {
    if (strlen($raw) !== 2 * $half) {
        throw new Exception('signature of wrong length');
    }
    $body = '';
    foreach (str_split($raw, $half) as $number) {
        $number = ltrim($number, "\0");
        if ($number === '' || ord($number[0]) & 0x80) {
            $number = "\0" . $number; // a leading one bit would make it negative
        }
        $body .= "\x02" . chr(strlen($number)) . $number;
    }
    return "\x30" . (strlen($body) > 127 ? "\x81" : '') . chr(strlen($body)) . $body;
}

function sign(string $alg, string $key, string $claims): string {
    $size = substr($alg, 2);
    $input = base64url(json_encode(['alg' => $alg, 'typ' => 'JWT'])) . '.' . base64url($claims);
    if (str_starts_with($alg, 'HS')) {
        return $input . '.' . base64url(hash_hmac("sha$size", $input, $key, true));
    }
    openssl_sign($input, $signature, $key, DIGESTS[$size]) || throw new Exception(openssl_error_string());
    return $input . '.' . base64url(str_starts_with($alg, 'ES') ? derToRaw($signature, EC_HALF[$size]) : $signature);
}

function signatureHolds(string $alg, string $key, string $input, string $signature): bool {
    $size = substr($alg, 2);
    if (str_starts_with($alg, 'HS')) {
        return hash_equals(hash_hmac("sha$size", $input, $key, true), $signature);
    }
    $der = str_starts_with($alg, 'ES') ? rawToDer($signature, EC_HALF[$size]) : $signature;
    return openssl_verify($input, $der, $key, DIGESTS[$size]) === 1;
}

function verify(string $alg, string $key, string $token): string {
    $parts = explode('.', $token);
    if (count($parts) !== 3) {
        throw new Exception('not three parts');
    }
    [$header, $claims, $signature] = array_map('unbase64url', $parts);
    if ((json_decode($header, true)['alg'] ?? null) !== $alg) {
        throw new Exception('another algorithm');
    }
    if (!signatureHolds($alg, $key, "$parts[0].$parts[1]", $signature)) {
        throw new Exception('signature does not hold');
    }
    if (json_decode($claims, true, flags: JSON_THROW_ON_ERROR)['exp'] <= time()) {
        throw new Exception('expired');
    }
    return $claims;
}

while (($line = fgets(STDIN)) !== false) {
    [$action, $alg, $key, $value] = explode(' ', trim($line));
    try {
        $answer = 'ok ' . base64_encode($action(
            $alg, base64_decode($key), base64_decode($value)));
    } catch (Throwable $error) {
        $answer = 'refused ' . base64_encode($error->getMessage());
    }
    echo $answer, "\n";
}
