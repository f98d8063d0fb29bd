"""Malformed and ambiguous HTTP/1.1 requests, and what RFC 9112 lets a strict server answer.

Each case: name -> (bytes, statuses). The first answer must have one of the statuses, then the connection must end;
where `OPEN` is among the statuses it may stay open. `NONE` allows to close without an answer. In many cases a second
request for /evil hides in the bytes; it must never be reached.
"""

OPEN = "open"
NONE = "none"

EVIL = b"GET /Prod/evil HTTP/1.1\r\nHost: h\r\n\r\n"
REFUSED = {400}
CODING = {400, 501}


def get(line=b"GET /Prod/x HTTP/1.1", headers=b"Host: h\r\n", rest=b""):
    return line + b"\r\n" + headers + b"\r\n" + rest


def post(headers, body=b"", host=b"Host: h\r\n", version=b"HTTP/1.1"):
    return b"POST /Prod/x " + version + b"\r\n" + host + headers + b"\r\n" + body


def chunked(body):
    return post(b"Transfer-Encoding: chunked\r\n", body)


FRAMING = {
    # Both lengths at once, either way round.
    "CL and TE": (post(b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n" + EVIL), REFUSED),
    "TE and CL": (post(b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", b"5c\r\n" + EVIL + b"\r\n0\r\n\r\n"), REFUSED),
    "CL 0 and TE": (post(b"Content-Length: 0\r\nTransfer-Encoding: chunked\r\n", EVIL), REFUSED),
    "CL and TE identity": (post(b"Content-Length: 0\r\nTransfer-Encoding: identity\r\n", EVIL), CODING),
    # Several lengths.
    "two CL that differ": (post(b"Content-Length: 0\r\nContent-Length: 44\r\n", EVIL), REFUSED),
    "two CL that differ, other order": (post(b"Content-Length: 44\r\nContent-Length: 0\r\n", EVIL), REFUSED),
    "CL list that differs": (post(b"Content-Length: 0, 44\r\n", EVIL), REFUSED),
    "CL list with an empty member": (post(b"Content-Length: 0,\r\n", EVIL), REFUSED),
    "two equal CL": (post(b"Content-Length: 2\r\nContent-Length: 2\r\n", b"ab"), {200, 400, OPEN}),
    "CL list of equals": (post(b"Content-Length: 2, 2\r\n", b"ab"), {200, 400, OPEN}),
    # Lengths that are no numbers.
    "CL negative": (post(b"Content-Length: -1\r\n", EVIL), REFUSED),
    "CL minus zero": (post(b"Content-Length: -0\r\n", EVIL), REFUSED),
    "CL with plus": (post(b"Content-Length: +2\r\n", b"ab" + EVIL), REFUSED),
    "CL hexadecimal": (post(b"Content-Length: 0x2\r\n", b"ab" + EVIL), REFUSED),
    "CL with letter": (post(b"Content-Length: 2a\r\n", b"ab" + EVIL), REFUSED),
    "CL with inner space": (post(b"Content-Length: 1 0\r\n", b"ab" + EVIL), REFUSED),
    "CL with underscore": (post(b"Content-Length: 1_0\r\n", b"ab" + EVIL), REFUSED),
    "CL empty": (post(b"Content-Length:\r\n", EVIL), REFUSED),
    "CL of a word": (post(b"Content-Length: two\r\n", EVIL), REFUSED),
    "CL decimal point": (post(b"Content-Length: 2.0\r\n", b"ab" + EVIL), REFUSED),
    "CL quoted": (post(b'Content-Length: "2"\r\n', b"ab" + EVIL), REFUSED),
    "CL in other digits": (post("Content-Length: ２\r\n".encode(), b"ab" + EVIL), REFUSED),
    "CL 2^63": (post(b"Content-Length: 9223372036854775808\r\n"), {400, 413}),
    "CL 2^64": (post(b"Content-Length: 18446744073709551616\r\n", EVIL), {400, 413}),
    "CL 2^64 + 2": (post(b"Content-Length: 18446744073709551618\r\n", b"ab" + EVIL), {400, 413}),
    "CL of 400 digits": (post(b"Content-Length: " + b"9" * 400 + b"\r\n"), {400, 413}),
    "CL with leading zeros": (post(b"Content-Length: 0002\r\n", b"ab"), {200, 400, OPEN}),
    "CL name with underscore": (post(b"Content_Length: 44\r\nContent-Length: 0\r\n"), {200, 400, OPEN}),
    # Transfer codings.
    "TE with space before the colon": (post(b"Transfer-Encoding : chunked\r\n", b"0\r\n\r\n"), REFUSED),
    "CL with space before the colon": (post(b"Content-Length : 44\r\n", EVIL), REFUSED),
    "TE with tab before the colon": (post(b"Transfer-Encoding\t: chunked\r\n", b"0\r\n\r\n"), REFUSED),
    "TE xchunked": (post(b"Transfer-Encoding: xchunked\r\n", b"0\r\n\r\n" + EVIL), CODING),
    "TE chunkedx": (post(b"Transfer-Encoding: chunkedx\r\n", b"0\r\n\r\n" + EVIL), CODING),
    "TE chunked twice": (post(b"Transfer-Encoding: chunked, chunked\r\n", b"0\r\n\r\n" + EVIL), CODING),
    "TE chunked in two lines": (
        post(b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n" + EVIL), CODING),
    "TE chunked not last": (post(b"Transfer-Encoding: chunked, gzip\r\n", b"0\r\n\r\n" + EVIL), CODING),
    "TE chunked then identity": (post(b"Transfer-Encoding: chunked, identity\r\n", b"0\r\n\r\n" + EVIL), CODING),
    "TE chunked, identity in two lines": (
        post(b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", b"0\r\n\r\n" + EVIL), CODING),
    "TE gzip": (post(b"Transfer-Encoding: gzip\r\n", b"0\r\n\r\n" + EVIL), CODING),
    "TE gzip, chunked": (post(b"Transfer-Encoding: gzip, chunked\r\n", b"0\r\n\r\n" + EVIL), CODING),
    "TE identity": (post(b"Transfer-Encoding: identity\r\n", EVIL), CODING),
    "TE empty": (post(b"Transfer-Encoding:\r\n", EVIL), CODING),
    "TE comma": (post(b"Transfer-Encoding: ,\r\n", EVIL), CODING),
    "TE quoted": (post(b'Transfer-Encoding: "chunked"\r\n', b"0\r\n\r\n" + EVIL), CODING),
    "TE with parameter": (post(b"Transfer-Encoding: chunked;q=1\r\n", b"0\r\n\r\n" + EVIL), CODING),
    "TE with vertical tab": (post(b"Transfer-Encoding: \x0bchunked\r\n", b"0\r\n\r\n" + EVIL), CODING),
    "TE with form feed": (post(b"Transfer-Encoding: chunked\x0c\r\n", b"0\r\n\r\n" + EVIL), CODING),
    "TE with NUL": (post(b"Transfer-Encoding: chunked\0\r\n", b"0\r\n\r\n" + EVIL), CODING),
    "TE with no-break space": (post(b"Transfer-Encoding: \xa0chunked\r\n", b"0\r\n\r\n" + EVIL), CODING),
    "TE folded": (post(b"Transfer-Encoding:\r\n chunked\r\n", b"0\r\n\r\n" + EVIL), REFUSED),
    "TE hidden after a bare CR": (post(b"X: y\rTransfer-Encoding: chunked\r\n", b"0\r\n\r\n" + EVIL), REFUSED),
    "TE hidden after a bare LF": (post(b"X: y\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n" + EVIL), REFUSED),
    "TE in HTTP/1.0": (
        post(b"Transfer-Encoding: chunked\r\n", b"0\r\n\r\n" + EVIL, version=b"HTTP/1.0"), {400, 501}),
    "TE in HTTP/1.0 with keep-alive": (
        post(b"Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n" + EVIL, version=b"HTTP/1.0"),
        {400, 501}),
    "TE in capitals": (post(b"TRANSFER-ENCODING: CHUNKED\r\n", b"2\r\nab\r\n0\r\n\r\n"), {200, OPEN}),
    "TE with spaces round it": (post(b"Transfer-Encoding: \t chunked \t\r\n", b"2\r\nab\r\n0\r\n\r\n"), {200, OPEN}),
}

CHUNKS = {
    "size is no number": (chunked(b"g\r\nabc\r\n0\r\n\r\n" + EVIL), REFUSED),
    "size is empty": (chunked(b"\r\nabc\r\n0\r\n\r\n" + EVIL), REFUSED),
    "size is negative": (chunked(b"-1\r\nabc\r\n0\r\n\r\n" + EVIL), REFUSED),
    "size with plus": (chunked(b"+3\r\nabc\r\n0\r\n\r\n" + EVIL), REFUSED),
    "size with 0x": (chunked(b"0x3\r\nabc\r\n0\r\n\r\n" + EVIL), REFUSED),
    "size with leading space": (chunked(b" 3\r\nabc\r\n0\r\n\r\n" + EVIL), REFUSED),
    "size with trailing letter": (chunked(b"3z\r\nabc\r\n0\r\n\r\n" + EVIL), REFUSED),
    "size with underscore": (chunked(b"0_3\r\nabc\r\n0\r\n\r\n" + EVIL), REFUSED),
    "size overflows 64 bits": (chunked(b"10000000000000003\r\nabc\r\n0\r\n\r\n" + EVIL), {400, 413}),
    "size of 16 F": (chunked(b"FFFFFFFFFFFFFFFF\r\nabc\r\n0\r\n\r\n" + EVIL), {400, 413}),
    "size that wraps after adding": (chunked(b"3\r\nabc\r\nFFFFFFFFFFFFFFFD\r\nabc\r\n0\r\n\r\n" + EVIL), {400, 413}),
    "size of a thousand digits": (chunked(b"0" * 1000 + b"3\r\nabc\r\n0\r\n\r\n"), {200, 400, OPEN}),
    "size line ends in bare LF": (chunked(b"3\nabc\r\n0\r\n\r\n" + EVIL), REFUSED),
    "size line ends in bare CR": (chunked(b"3\rabc\r\n0\r\n\r\n" + EVIL), REFUSED),
    "data ends in bare LF": (chunked(b"3\r\nabc\n0\r\n\r\n" + EVIL), REFUSED),
    "data without an end": (chunked(b"3\r\nabc0\r\n\r\n" + EVIL), REFUSED),
    "data longer than its size": (chunked(b"3\r\nabcd\r\n0\r\n\r\n" + EVIL), REFUSED),
    "data shorter than its size": (chunked(b"4\r\nabc\r\n0\r\n\r\n" + EVIL), REFUSED),
    "last chunk ends in bare LF": (chunked(b"0\n\n" + EVIL), REFUSED),
    "end in bare LF": (chunked(b"0\r\n\n" + EVIL), REFUSED),
    "extension": (chunked(b"3;a=b;c=\"d e\"\r\nabc\r\n0;z\r\n\r\n"), {200, OPEN}),
    "extension with bare LF": (chunked(b"3;a=\nb\r\nabc\r\n0\r\n\r\n" + EVIL), REFUSED),
    "extension with bare CR": (chunked(b"3;a=\rb\r\nabc\r\n0\r\n\r\n" + EVIL), REFUSED),
    "extension with NUL": (chunked(b"3;a=\0\r\nabc\r\n0\r\n\r\n" + EVIL), REFUSED),
    "extension without semicolon": (chunked(b"3 a=b\r\nabc\r\n0\r\n\r\n" + EVIL), REFUSED),
    "extension that hides a size": (chunked(b"0;a=\"\r\n\r\n" + EVIL), REFUSED),
    "extension of 200 kilobytes": (chunked(b"3;a=" + b"b" * 200000 + b"\r\nabc\r\n0\r\n\r\n"), {400, 413, 431}),
    "ten thousand extensions": (chunked((b"1;a=" + b"b" * 60 + b"\r\nx\r\n") * 10000 + b"0\r\n\r\n"), {200, 400, 413, 431, OPEN}),
    "trailer": (chunked(b"0\r\nX-Check: 1\r\n\r\n"), {200, OPEN}),
    "trailer without colon": (chunked(b"0\r\nnonsense\r\n\r\n" + EVIL), REFUSED),
    "trailer folded": (chunked(b"0\r\nX: 1\r\n 2\r\n\r\n" + EVIL), REFUSED),
    "trailer with space before the colon": (chunked(b"0\r\nX : 1\r\n\r\n" + EVIL), REFUSED),
    "trailer with bare LF": (chunked(b"0\r\nX: 1\n\r\n" + EVIL), REFUSED),
    "trailer with NUL": (chunked(b"0\r\nX: \0\r\n\r\n" + EVIL), REFUSED),
    "trailer that sets CL": (chunked(b"0\r\nContent-Length: 44\r\n\r\n"), {200, 400, OPEN}),
    "trailer that sets TE": (chunked(b"0\r\nTransfer-Encoding: chunked\r\n\r\n"), {200, 400, OPEN}),
    "trailer that sets Host": (chunked(b"0\r\nHost: evil\r\n\r\n"), {200, 400, OPEN}),
    "trailers of 200 kilobytes": (chunked(b"0\r\n" + b"X: yyyyyyyyyyyyyyy\r\n" * 10000 + b"\r\n"), {400, 413, 431}),
}

HEADERS = {
    "fold": (get(headers=b"Host: h\r\nX: a\r\n b\r\n", rest=EVIL), REFUSED),
    "fold with tab": (get(headers=b"Host: h\r\nX: a\r\n\tb\r\n", rest=EVIL), REFUSED),
    "fold of the first line": (get(headers=b" X: a\r\nHost: h\r\n", rest=EVIL), REFUSED),
    "first line of spaces": (get(headers=b"   \r\nHost: h\r\n", rest=EVIL), REFUSED),
    "space before the colon": (get(headers=b"Host: h\r\nX : a\r\n", rest=EVIL), REFUSED),
    "Host with space before the colon": (get(headers=b"Host : h\r\n", rest=EVIL), REFUSED),
    "no colon": (get(headers=b"Host: h\r\nnonsense\r\n", rest=EVIL), REFUSED),
    "empty name": (get(headers=b"Host: h\r\n: a\r\n", rest=EVIL), REFUSED),
    "space in a name": (get(headers=b"Host: h\r\nX Y: a\r\n", rest=EVIL), REFUSED),
    "NUL in a name": (get(headers=b"Host: h\r\nX\0Y: a\r\n", rest=EVIL), REFUSED),
    "NUL in a value": (get(headers=b"Host: h\r\nX: a\0b\r\n", rest=EVIL), REFUSED),
    "control byte in a value": (get(headers=b"Host: h\r\nX: a\x01b\r\n", rest=EVIL), REFUSED),
    "DEL in a value": (get(headers=b"Host: h\r\nX: a\x7fb\r\n", rest=EVIL), REFUSED),
    "bare CR in a value": (get(headers=b"Host: h\r\nX: a\rb\r\n", rest=EVIL), REFUSED),
    "bare CR at the end of a value": (get(headers=b"Host: h\r\nX: a\r\r\n", rest=EVIL), REFUSED),
    "bare LF as line end": (get(headers=b"Host: h\nX: a\r\n", rest=EVIL), REFUSED),
    "bare LF as end of the head": (b"GET /Prod/x HTTP/1.1\r\nHost: h\r\n\n" + EVIL, REFUSED),
    "LF only": (b"GET /Prod/x HTTP/1.1\nHost: h\n\n" + EVIL, REFUSED),
    "CR only": (b"GET /Prod/x HTTP/1.1\rHost: h\r\r" + EVIL, REFUSED),
    "LF CR": (b"GET /Prod/x HTTP/1.1\n\rHost: h\n\r\n\r" + EVIL, REFUSED),
    "parenthesis in a name": (get(headers=b"Host: h\r\nX(Y): a\r\n"), REFUSED),
    "quote in a name": (get(headers=b'Host: h\r\n"X": a\r\n'), REFUSED),
    "slash in a name": (get(headers=b"Host: h\r\nX/Y: a\r\n"), REFUSED),
    "non-ASCII name": (get(headers="Host: h\r\nÄ: a\r\n".encode()), REFUSED),
    "non-ASCII value": (get(headers=b"Host: h\r\nX: \xe4\xff\r\n"), {200, 400, OPEN}),
    "empty value": (get(headers=b"Host: h\r\nX:\r\nY: \t \r\n"), {200, OPEN}),
    "every token character in a name": (get(headers=b"Host: h\r\n!#$%&'*+-.^_`|~09Az: a\r\n"), {200, OPEN}),
    "value with tabs": (get(headers=b"Host: h\r\nX:\ta\tb\t\r\n"), {200, OPEN}),
    "no Host": (get(headers=b"X: a\r\n", rest=EVIL), REFUSED),
    "no headers at all": (get(headers=b"", rest=EVIL), REFUSED),
    "two Host": (get(headers=b"Host: h\r\nHost: h\r\n", rest=EVIL), REFUSED),
    "two Host that differ": (get(headers=b"Host: h\r\nHost: i\r\n", rest=EVIL), REFUSED),
    "Host with space": (get(headers=b"Host: a b\r\n"), REFUSED),
    "Host with slash": (get(headers=b"Host: a/b\r\n"), REFUSED),
    "Host with user": (get(headers=b"Host: a@b\r\n"), REFUSED),
    "Host list": (get(headers=b"Host: a, b\r\n"), REFUSED),
    "Host with two ports": (get(headers=b"Host: a:1:2\r\n"), REFUSED),
    "Host with a bad port": (get(headers=b"Host: a:http\r\n"), REFUSED),
    "Host of open bracket": (get(headers=b"Host: [::1\r\n"), REFUSED),
    "Host with question mark": (get(headers=b"Host: a?b\r\n"), REFUSED),
    "Host empty": (get(headers=b"Host:\r\n"), {200, 400, OPEN}),
    "Host IPv6": (get(headers=b"Host: [::1]:80\r\n"), {200, OPEN}),
    "Host with empty port": (get(headers=b"Host: a:\r\n"), {200, 400, OPEN}),
    "header of 300 kilobytes": (get(headers=b"Host: h\r\nX: " + b"y" * 300000 + b"\r\n"), {431}),
    "name of 300 kilobytes": (get(headers=b"Host: h\r\n" + b"y" * 300000 + b": x\r\n"), {431}),
    "thirty thousand headers": (get(headers=b"Host: h\r\n" + b"X: y\r\n" * 30000), {431}),
}

LINES = {
    "HTTP/0.9": (b"GET /Prod/x\r\n\r\n", {400, 505}),
    "HTTP/0.9 by name": (get(b"GET /Prod/x HTTP/0.9", rest=EVIL), {400, 505}),
    "HTTP/2.0": (get(b"GET /Prod/x HTTP/2.0", rest=EVIL), {400, 505}),
    "HTTP/3": (get(b"GET /Prod/x HTTP/3", rest=EVIL), {400, 505}),
    "HTTP/1.2": (get(b"GET /Prod/x HTTP/1.2"), {200, 400, 505, OPEN}),
    "HTTP/1.10": (get(b"GET /Prod/x HTTP/1.10", rest=EVIL), {400, 505}),
    "HTTP/01.1": (get(b"GET /Prod/x HTTP/01.1", rest=EVIL), {400, 505}),
    "HTTP/1.": (get(b"GET /Prod/x HTTP/1.", rest=EVIL), {400, 505}),
    "HTTP/1,1": (get(b"GET /Prod/x HTTP/1,1", rest=EVIL), {400, 505}),
    "version in small letters": (get(b"GET /Prod/x http/1.1", rest=EVIL), {400, 505}),
    "other protocol": (get(b"GET /Prod/x RTSP/1.0", rest=EVIL), {400, 505}),
    "space after the version": (get(b"GET /Prod/x HTTP/1.1 ", rest=EVIL), {400, 505}),
    "two spaces before the target": (get(b"GET  /Prod/x HTTP/1.1", rest=EVIL), REFUSED),
    "two spaces before the version": (get(b"GET /Prod/x  HTTP/1.1", rest=EVIL), {400, 505}),
    "tabs": (get(b"GET\t/Prod/x\tHTTP/1.1", rest=EVIL), REFUSED),
    "space before the method": (get(b" GET /Prod/x HTTP/1.1", rest=EVIL), REFUSED),
    "no target": (get(b"GET HTTP/1.1", rest=EVIL), {400, 505}),
    "empty target": (get(b"GET  HTTP/1.1", rest=EVIL), {400, 505}),
    "no method": (get(b"/Prod/x HTTP/1.1", rest=EVIL), {400, 505}),
    "at sign in the method": (get(b"G@T /Prod/x HTTP/1.1", rest=EVIL), REFUSED),
    "NUL in the method": (get(b"GE\0T /Prod/x HTTP/1.1", rest=EVIL), REFUSED),
    "colon in the method": (get(b"GET: /Prod/x HTTP/1.1", rest=EVIL), REFUSED),
    "method of 100 kilobytes": (get(b"G" * 100000 + b" /Prod/x HTTP/1.1"), {400, 414, 431, 501}),
    "small letters in the method": (get(b"get /Prod/x HTTP/1.1"), {400, 403, 501, OPEN}),
    "space in the target": (get(b"GET /Prod/x y HTTP/1.1", rest=EVIL), {400, 505}),
    "NUL in the target": (get(b"GET /Prod/x\0 HTTP/1.1", rest=EVIL), REFUSED),
    "control byte in the target": (get(b"GET /Prod/\x01x HTTP/1.1", rest=EVIL), REFUSED),
    "DEL in the target": (get(b"GET /Prod/\x7fx HTTP/1.1", rest=EVIL), REFUSED),
    "bare CR in the target": (get(b"GET /Prod/x\r HTTP/1.1", rest=EVIL), REFUSED),
    "bare LF in the target": (get(b"GET /Prod/x\n HTTP/1.1", rest=EVIL), REFUSED),
    "high bytes in the target": (get("GET /Prod/ä HTTP/1.1".encode()), {200, 400, OPEN}),
    "target without slash": (get(b"GET Prod/x HTTP/1.1", rest=EVIL), REFUSED),
    "star for GET": (get(b"GET * HTTP/1.1", rest=EVIL), REFUSED),
    "star for OPTIONS": (get(b"OPTIONS * HTTP/1.1"), {200, 204, 400, 403, 404, OPEN}),
    "fragment": (get(b"GET /Prod/x#a HTTP/1.1"), {200, 400, OPEN}),
    "CONNECT": (get(b"CONNECT h:80 HTTP/1.1", rest=EVIL), {400, 405, 501}),
    "CONNECT with a path": (get(b"CONNECT /Prod/x HTTP/1.1", rest=EVIL), {400, 405, 501}),
    "absolute without host": (get(b"GET http:///Prod/x HTTP/1.1", rest=EVIL), REFUSED),
    "absolute with user": (get(b"GET http://u:p@h/Prod/x HTTP/1.1", rest=EVIL), REFUSED),
    "absolute with other scheme": (get(b"GET ftp://h/Prod/x HTTP/1.1", rest=EVIL), {400, 501}),
    "absolute with a bad port": (get(b"GET http://h:x/Prod/x HTTP/1.1", rest=EVIL), REFUSED),
    "absolute with other Host": (get(b"GET http://a/Prod/x HTTP/1.1", b"Host: b\r\n"), {200, 400, OPEN}),
    "absolute without path": (get(b"GET http://h HTTP/1.1"), {200, 400, 403, OPEN}),
    "bad escape": (get(b"GET /Prod/%zz HTTP/1.1"), {200, 400, OPEN}),
    "cut escape": (get(b"GET /Prod/x% HTTP/1.1"), {200, 400, OPEN}),
    "encoded NUL": (get(b"GET /Prod/x%00 HTTP/1.1"), {200, 400, OPEN}),
    "dots": (get(b"GET /Prod/../../etc/passwd HTTP/1.1"), {200, 400, 403, OPEN}),
    "target of 300 kilobytes": (get(b"GET /Prod/" + b"x" * 300000 + b" HTTP/1.1"), {414, 431}),
    "endless empty lines": (b"\r\n" * 100000, {400, 408, 431, NONE}),
    "endless line": (b"x" * 300000, {400, 414, 431}),
    "TLS hello": (bytes.fromhex("16030100a5010000a10303") + bytes(160), {400, NONE}),
    "binary": (bytes(range(256)) * 4, {400, NONE}),
    "NUL bytes": (bytes(1000), {400, NONE}),
    "response instead of a request": (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" + EVIL, {400, 505}),
}

CONNECTIONS = {
    "close hides nothing": (get(headers=b"Host: h\r\nConnection: close\r\n", rest=EVIL), {200}),
    "close in a list": (get(headers=b"Host: h\r\nConnection: x, CLOSE ,y\r\n", rest=EVIL), {200}),
    "HTTP/1.0": (get(b"GET /Prod/x HTTP/1.0", rest=EVIL), {200}),
    "HTTP/1.0 without Host": (get(b"GET /Prod/x HTTP/1.0", b"", rest=EVIL), {200, 400}),
    "HTTP/1.0 with close and keep-alive": (
        get(b"GET /Prod/x HTTP/1.0", b"Host: h\r\nConnection: close, keep-alive\r\n", rest=EVIL), {200, 400}),
    "Connection names a framing header": (
        post(b"Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n"), {200, 400, OPEN}),
    "Expect twice": (post(b"Expect: 100-continue\r\nExpect: x\r\nContent-Length: 0\r\n"), {200, 400, 417, OPEN}),
    "Upgrade to an unknown protocol": (
        get(headers=b"Host: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"), {200, OPEN}),
    "Upgrade to h2c without settings": (get(headers=b"Host: h\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n"), {200, 400, OPEN}),
    "Upgrade to h2c with bad settings": (
        get(headers=b"Host: h\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: ***\r\n"),
        {200, 400, OPEN}),
    "Upgrade to h2c with two settings": (
        get(headers=b"Host: h\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"
                    b"HTTP2-Settings: AAMAAABk\r\n"), {200, 400, OPEN}),
    "Upgrade to h2c with both lengths": (
        post(b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\nContent-Length: 1\r\n"
             b"Transfer-Encoding: chunked\r\n", b"0\r\n\r\n" + EVIL), REFUSED),
    "preface that goes wrong": (b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n" + EVIL, {400, 505, NONE}),
    "preface after a request": (get(rest=b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), {200}),
}

CASES = {
    f"{group}: {name}": case
    for group, cases in (("framing", FRAMING), ("chunks", CHUNKS), ("headers", HEADERS), ("lines", LINES),
                         ("connections", CONNECTIONS))
    for name, case in cases.items()
}
