/*
 * The scripts: every change of an event is one of them, done wholly or not at
 * all. KEYS[1] is the tag of all keys that a script touches. KEYS[2] never
 * exists: while a cluster moves the slot, a command of two keys that are not
 * there is refused (TRYAGAIN) instead of being run on half of the data.
 *
 * A script must not stop after its first write. Those that give memory back
 * are allowed to run when memory is short; a server before version 7 cannot
 * allow it, so there an empty SETRANGE, which memory shortage forbids, comes first.
 */
#include "queue/redis_engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SCRIPT_MAX = 8192 };

/* id, accepted, due, now, life, payload, dedup key or "", its window, channel → nil, or the id that is there already */
static const char put_text[] =
    "local t, id = KEYS[1], ARGV[1]\n"
    "local e = t .. ':e:' .. id\n"
    "if redis.call('EXISTS', e) == 1 then return id end\n"
    "if ARGV[7] ~= '' then\n"
    "  local k = t .. ':k:' .. ARGV[7]\n"
    "  local first = redis.call('GET', k)\n"
    "  if first then return first end\n"
    "  redis.call('SET', k, id, 'PX', ARGV[8])\n"
    "end\n"
    "redis.call('HSET', e, 'l', ARGV[5], 'p', ARGV[6], 's', 'q', 'c', ARGV[9])\n"
    "redis.call('ZADD', t .. ':q', ARGV[2], id)\n"
    "if tonumber(ARGV[3]) > tonumber(ARGV[4]) then\n"
    "  redis.call('ZADD', t .. ':due', ARGV[3], id)\n"
    "else\n"
    "  if ARGV[9] ~= '' then redis.call('SADD', t .. ':lanes', ARGV[9]) end\n"
    "  redis.call('XADD', t .. ':s:' .. ARGV[9], '*', 'e', id)\n"
    "end\n"
    "return false\n";

/*
 * channel, consumer, max, bytes → {{entry, life, payload, result, lost leases}, …}, 1 when there may be more
 *
 * A few entries at a time: what was read cannot be put back, so the answer may be larger than asked by so many events.
 */
static const char lease_text[] =
    "local t = KEYS[1]\n"
    "local lane = t .. ':s:' .. ARGV[1]\n"
    "local max, room = tonumber(ARGV[3]), tonumber(ARGV[4])\n"
    "local out, more = {}, 1\n"
    "local function take(entry)\n"
    "  local id, from = entry[2][2], ':q'\n"
    "  local accepted = redis.call('ZSCORE', t .. from, id)\n"
    "  if not accepted then\n"
    "    from = ':r'\n"
    "    accepted = redis.call('ZSCORE', t .. from, id)\n"
    "  end\n"
    /* An entry without its event was purged. */
    "  if not accepted then\n"
    "    redis.call('XACK', lane, 'g', entry[1])\n"
    "    redis.call('XDEL', lane, entry[1])\n"
    "    return\n"
    "  end\n"
    "  local v = redis.call('HMGET', t .. ':e:' .. id, 'l', 'p', 'r', 'n')\n"
    "  redis.call('ZREM', t .. from, id)\n"
    "  redis.call('ZADD', t .. ':l', accepted, id)\n"
    "  out[#out + 1] = {entry[1], v[1], v[2], v[3], v[4]}\n"
    "  room = room - #v[1] - #v[2] - #(v[3] or '')\n"
    "end\n"
    "while #out < max and room > 0 do\n"
    "  local got = redis.pcall('XREADGROUP', 'GROUP', 'g', ARGV[2], 'COUNT', math.min(4, max - #out),\n"
    "    'STREAMS', lane, '>')\n"
    "  if not got then more = 0 break end\n"
    "  if got.err then\n"
    "    if not string.find(got.err, 'NOGROUP', 1, true) then return got end\n"
    "    if redis.call('EXISTS', lane) == 0 then more = 0 break end\n"
    "    redis.call('XGROUP', 'CREATE', lane, 'g', '0')\n"
    "  else\n"
    "    for _, entry in ipairs(got[1][2]) do take(entry) end\n"
    "  end\n"
    "end\n"
    "return {out, more}\n";

/* Forgets the oldest finished ones: those that ended before `before`, or more, while there are over `cap` bytes. */
static const char trim_text[] =
    "local function trim(t, before, cap, most)\n"
    "  for i = 1, most do\n"
    "    local head = redis.call('LINDEX', t .. ':fin', 0)\n"
    "    if not head then return end\n"
    "    local size, at, id = string.match(head, '^(%d+):(%d+):(.+)$')\n"
    "    local all = tonumber(redis.call('GET', t .. ':finb') or '0')\n"
    "    if tonumber(at) >= before and all <= cap then return end\n"
    "    redis.call('LPOP', t .. ':fin')\n"
    "    redis.call('DECRBY', t .. ':finb', size)\n"
    "    local e = t .. ':e:' .. id\n"
    /* Another end than this one: it was redriven meanwhile. */
    "    if redis.call('HGET', e, 't') == at then\n"
    "      redis.call('DEL', e)\n"
    "      redis.call('ZREM', t .. ':f', id)\n"
    "    end\n"
    "  end\n"
    "end\n";

/*
 * channel, entry, id, state (f finish, x bury, q or r requeue), life, '=' '-' or '+' with the result, result, channel
 * from now on, due, now, accepted, finished, size, forget before, bytes of finished ones → 1, or 0: not this node's lease
 */
static const char settle_text[] =
    "local t, id, state = KEYS[1], ARGV[3], ARGV[4]\n"
    "local lane, e = t .. ':s:' .. ARGV[1], t .. ':e:' .. id\n"
    "local held = redis.pcall('XPENDING', lane, 'g', ARGV[2], ARGV[2], 1)\n"
    "if held.err or #held == 0 then return 0 end\n"
    "redis.call('HSET', e, 'l', ARGV[5], 's', state, 'c', ARGV[8])\n"
    "if ARGV[6] == '+' then redis.call('HSET', e, 'r', ARGV[7]) end\n"
    "if ARGV[6] == '-' then redis.call('HDEL', e, 'r', 'n') else redis.call('HDEL', e, 'n') end\n"
    "redis.call('XACK', lane, 'g', ARGV[2])\n"
    "redis.call('XDEL', lane, ARGV[2])\n"
    "redis.call('ZREM', t .. ':l', id)\n"
    "redis.call('ZADD', t .. ':' .. state, ARGV[11], id)\n"
    "if state == 'f' then\n"
    "  redis.call('HSET', e, 't', ARGV[12])\n"
    "  redis.call('RPUSH', t .. ':fin', ARGV[13] .. ':' .. ARGV[12] .. ':' .. id)\n"
    "  redis.call('INCRBY', t .. ':finb', ARGV[13])\n"
    "  trim(t, tonumber(ARGV[14]), tonumber(ARGV[15]), 3)\n"
    "elseif state ~= 'x' then\n"
    "  if tonumber(ARGV[9]) > tonumber(ARGV[10]) then\n"
    "    redis.call('ZADD', t .. ':due', ARGV[9], id)\n"
    "  else\n"
    "    if ARGV[8] ~= '' then redis.call('SADD', t .. ':lanes', ARGV[8]) end\n"
    "    redis.call('XADD', t .. ':s:' .. ARGV[8], '*', 'e', id)\n"
    "  end\n"
    "end\n"
    "return 1\n";

/*
 * now, most to move, forget before, bytes of finished ones → {next due or nil, moved, queued, retrying, leased, finished,
 * dead, oldest acceptance or nil, finished bytes, {{channel, waiting, {consumer, …}}, …}}
 */
static const char tend_text[] =
    "local t = KEYS[1]\n"
    "local due = redis.call('ZRANGEBYSCORE', t .. ':due', '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])\n"
    "for _, id in ipairs(due) do\n"
    "  local channel = redis.call('HGET', t .. ':e:' .. id, 'c')\n"
    "  redis.call('ZREM', t .. ':due', id)\n"
    "  if channel then\n"
    "    if channel ~= '' then redis.call('SADD', t .. ':lanes', channel) end\n"
    "    redis.call('XADD', t .. ':s:' .. channel, '*', 'e', id)\n"
    "  end\n"
    "end\n"
    "trim(t, tonumber(ARGV[3]), tonumber(ARGV[4]), 200)\n"
    "local oldest = false\n"
    "for _, index in ipairs({':q', ':r', ':l'}) do\n"
    "  local first = redis.call('ZRANGE', t .. index, 0, 0, 'WITHSCORES')[2]\n"
    "  if first and (not oldest or tonumber(first) < tonumber(oldest)) then oldest = first end\n"
    "end\n"
    "local lanes, channels = {}, redis.call('SMEMBERS', t .. ':lanes')\n"
    "channels[#channels + 1] = ''\n"
    "for _, channel in ipairs(channels) do\n"
    "  local lane = t .. ':s:' .. channel\n"
    "  local waiting, holders = redis.call('XLEN', lane), {}\n"
    "  if waiting == 0 then\n"
    "    if channel ~= '' then redis.call('SREM', t .. ':lanes', channel) end\n"
    "  else\n"
    "    local held = redis.pcall('XPENDING', lane, 'g')\n"
    "    if not held.err and held[1] > 0 then\n"
    "      waiting = waiting - held[1]\n"
    "      for _, holder in ipairs(held[4]) do holders[#holders + 1] = holder[1] end\n"
    "    end\n"
    "    lanes[#lanes + 1] = {channel, waiting, holders}\n"
    "  end\n"
    "end\n"
    "local function count(index) return redis.call('ZCARD', t .. index) end\n"
    "return {redis.call('ZRANGE', t .. ':due', 0, 0, 'WITHSCORES')[2] or false, #due,\n"
    "  count(':q'), count(':r'), count(':l'), count(':f'), count(':x'), oldest,\n"
    "  redis.call('GET', t .. ':finb') or '0', lanes}\n";

/* channel, consumer, entries to leave … → how many were given back */
static const char reclaim_text[] =
    "local t, lane, keep, count = KEYS[1], KEYS[1] .. ':s:' .. ARGV[1], {}, 0\n"
    "for i = 3, #ARGV do keep[ARGV[i]] = true end\n"
    "local held = redis.pcall('XPENDING', lane, 'g', '-', '+', #ARGV + 500, ARGV[2])\n"
    "if held.err then return 0 end\n"
    "for _, h in ipairs(held) do\n"
    "  local entry = h[1]\n"
    "  if not keep[entry] then\n"
    "    local found = redis.call('XRANGE', lane, entry, entry)[1]\n"
    "    local id = found and found[2][2] or ''\n"
    "    local accepted = redis.call('ZSCORE', t .. ':l', id)\n"
    "    redis.call('XACK', lane, 'g', entry)\n"
    "    redis.call('XDEL', lane, entry)\n"
    "    if accepted then\n"
    "      local e = t .. ':e:' .. id\n"
    "      redis.call('ZREM', t .. ':l', id)\n"
    "      redis.call('ZADD', t .. ':' .. redis.call('HGET', e, 's'), accepted, id)\n"
    "      redis.call('HINCRBY', e, 'n', 1)\n"
    "      redis.call('XADD', lane, '*', 'e', id)\n"
    "      count = count + 1\n"
    "    end\n"
    "  end\n"
    "end\n"
    "if #held == 0 then redis.call('XGROUP', 'DELCONSUMER', lane, 'g', ARGV[2]) end\n"
    "return count\n";

/* id → nil or {life, payload, result, lost leases, 1 when it is leased} */
static const char find_text[] =
    "local v = redis.call('HMGET', KEYS[1] .. ':e:' .. ARGV[1], 'l', 'p', 'r', 'n')\n"
    "if not v[1] then return false end\n"
    "v[5] = redis.call('ZSCORE', KEYS[1] .. ':l', ARGV[1]) and 1 or 0\n"
    "return v\n";

/* since, from this acceptance down, below this id there, max, indexes → {id, accepted, index, id, …} */
static const char page_text[] =
    "local out, max = {}, tonumber(ARGV[4])\n"
    "for index in string.gmatch(ARGV[5], '.') do\n"
    "  local offset, got, page = 0, 0\n"
    "  repeat\n"
    "    page = redis.call('ZREVRANGEBYSCORE', KEYS[1] .. ':' .. index, ARGV[2], ARGV[1], 'WITHSCORES',\n"
    "      'LIMIT', offset, max)\n"
    "    for i = 1, #page, 2 do\n"
    "      if got < max and not (page[i + 1] == ARGV[2] and page[i] >= ARGV[3]) then\n"
    "        got = got + 1\n"
    "        out[#out + 1] = page[i]\n"
    "        out[#out + 1] = page[i + 1]\n"
    "        out[#out + 1] = index\n"
    "      end\n"
    "    end\n"
    "    offset = offset + max\n"
    "  until #page == 0 or got >= max\n"
    "end\n"
    "return out\n";

/* id, life as it was read, new life, accepted → 1, or 0: it changed meanwhile */
static const char redrive_text[] =
    "local t, id = KEYS[1], ARGV[1]\n"
    "local e = t .. ':e:' .. id\n"
    "local v = redis.call('HMGET', e, 'l', 's')\n"
    "if v[1] ~= ARGV[2] or (v[2] ~= 'f' and v[2] ~= 'x') then return 0 end\n"
    "redis.call('HSET', e, 'l', ARGV[3], 's', 'q', 'c', '')\n"
    "redis.call('HDEL', e, 'r', 'n', 't')\n"
    "redis.call('ZREM', t .. ':' .. v[2], id)\n"
    "redis.call('ZADD', t .. ':q', ARGV[4], id)\n"
    "redis.call('XADD', t .. ':s:', '*', 'e', id)\n"
    "return 1\n";

/* id → 1, 0: leased, nil: there is none */
static const char purge_text[] =
    "local t, id = KEYS[1], ARGV[1]\n"
    "local e = t .. ':e:' .. id\n"
    "if redis.call('EXISTS', e) == 0 then return false end\n"
    "if redis.call('ZSCORE', t .. ':l', id) then return 0 end\n"
    "redis.call('DEL', e)\n"
    "for _, index in ipairs({':q', ':r', ':f', ':x', ':due'}) do redis.call('ZREM', t .. index, id) end\n"
    "return 1\n";

/* node, its queue time or "" → {queue time, {node, beats, …}, {function, …}} */
static const char beat_text[] =
    "local t = KEYS[1]\n"
    "local time = redis.call('TIME')\n"
    "local server = time[1] * 1000 + math.floor(time[2] / 1000)\n"
    "local clock = redis.call('HMGET', t .. ':clock', 'at', 'server')\n"
    "local at = server\n"
    "if ARGV[2] ~= '' then\n"
    "  at = math.max(tonumber(ARGV[2]), tonumber(clock[1] or '0'))\n"
    "elseif clock[1] then\n"
    "  at = tonumber(clock[1]) + math.max(0, server - tonumber(clock[2]))\n"
    "end\n"
    "at = string.format('%.0f', at)\n"
    "redis.call('HSET', t .. ':clock', 'at', at, 'server', string.format('%.0f', server))\n"
    "redis.call('HINCRBY', t .. ':nodes', ARGV[1], 1)\n"
    "return {at, redis.call('HGETALL', t .. ':nodes'), redis.call('SMEMBERS', t .. ':functions')}\n";

static const struct {
    const char *text;
    bool trims;
    bool frees; /* gives memory back, or must go on without it */
} sources[REDIS_SCRIPT_COUNT] = {
    [REDIS_PUT] = {put_text, false, false},        [REDIS_LEASE] = {lease_text, false, true},
    [REDIS_SETTLE] = {settle_text, true, true},    [REDIS_TEND] = {tend_text, true, true},
    [REDIS_RECLAIM] = {reclaim_text, false, true}, [REDIS_FIND] = {find_text, false, false},
    [REDIS_PAGE] = {page_text, false, false},      [REDIS_REDRIVE] = {redrive_text, false, false},
    [REDIS_PURGE] = {purge_text, false, false},    [REDIS_BEAT] = {beat_text, false, true},
};

void redis_scripts_make(struct hg_redis_script scripts[REDIS_SCRIPT_COUNT], bool may_allow_oom)
{
    for (size_t i = 0; i < REDIS_SCRIPT_COUNT; i++) {
        const char *head = !sources[i].frees ? ""
                           : may_allow_oom   ? "#!lua flags=allow-oom\n"
                                             : "redis.call('SETRANGE', KEYS[2], 0, '')\n";
        char *text = hg_malloc(SCRIPT_MAX);
        int length = snprintf(text, SCRIPT_MAX, "%s%s%s", head, sources[i].trims ? trim_text : "",
                              sources[i].text);

        hg_assert(length < SCRIPT_MAX);
        hg_redis_script_init(&scripts[i], text);
    }
}

void redis_scripts_free(struct hg_redis_script scripts[REDIS_SCRIPT_COUNT])
{
    for (size_t i = 0; i < REDIS_SCRIPT_COUNT; i++)
        free((char *)(uintptr_t)scripts[i].text);
}
